/// \file
/// ModelReference: a reference to a model that knows whether the model exists and has the same
/// parameters.
#pragma once

#include "weft/core/error.hpp"

#include <memory>
#include <utility>

namespace weft {

/// A mark is equal only to itself and its copies; a default one marks nothing. Out of line, to save
/// compile time for classes with a mark.
class Mark {
public:
    Mark() = default;
    WEFT_COLD Mark(const Mark& other) : is_valid_(other.is_valid_) {}
    WEFT_COLD Mark(Mark&& other) noexcept : is_valid_(std::move(other.is_valid_)) {}
    WEFT_COLD Mark& operator=(Mark other) noexcept {
        is_valid_.swap(other.is_valid_);
        return *this;
    }
    WEFT_COLD ~Mark() {}

    WEFT_COLD static Mark make() {
        Mark mark;
        mark.is_valid_.reset(new bool(true));
        return mark;
    }

    /// Whether neither the mark nor a copy was ended.
    bool is_valid() const { return is_valid_ != nullptr && *is_valid_; }
    void end() { *is_valid_ = false; }

    friend bool operator==(const Mark& a, const Mark& b) { return a.is_valid_ == b.is_valid_; }

private:
    std::shared_ptr<bool> is_valid_;
};

/// The marks of a model. The object's mark ends with the object; it is neither copied nor moved.
/// The build's mark belongs to the parameters that a build made, and moves with them; a copy of the
/// model gets a new one. Owners of data that belong to the parameters, such as an optimiser's
/// moments, keep the build's mark and compare it.
class ModelMarks {
public:
    ModelMarks() = default;
    WEFT_COLD ModelMarks(const ModelMarks& other) { *this = other; }
    WEFT_COLD ModelMarks(ModelMarks&& other) noexcept { *this = std::move(other); }
    WEFT_COLD ModelMarks& operator=(const ModelMarks& other) {
        if (this != &other) build_ = other.build_ == Mark() ? Mark() : Mark::make();
        return *this;
    }
    WEFT_COLD ModelMarks& operator=(ModelMarks&& other) noexcept {
        build_ = std::move(other.build_);
        return *this;
    }
    WEFT_COLD ~ModelMarks() { object_.end(); }

    WEFT_COLD void begin_build() { build_ = Mark::make(); }

    const Mark& build() const { return build_; }
    const Mark& object() const { return object_; }

private:
    Mark object_ = Mark::make();
    Mark build_;
};

/// Refers to a model by address, like a plain reference, and knows whether it still exists.
template <class Model>
class ModelReference {
public:
    explicit ModelReference(Model& model) : model_(&model), object_(model.marks().object()) {}

    /// Throws ArgumentError, which names the caller, if the model no longer exists.
    Model& get(std::string_view who) const {
        if (!object_.is_valid()) refuse(who);
        return *model_;
    }

    /// Whether the model exists, with the parameters of the given build.
    bool has(const Mark& build) const {
        return object_.is_valid() && model_->marks().build() == build;
    }

private:
    WEFT_COLD [[noreturn]] static void refuse(std::string_view who) {
        throw ArgumentError(std::string(who) +
                            ": the model is gone: it was destroyed, or its vector moved it as it "
                            "grew; it has to stay in its place as long as what refers to it");
    }

    Model* model_;
    Mark object_;
};

}  // namespace weft
