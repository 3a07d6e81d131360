/// \file
/// ModelReference: a reference to a model that notices when the model is gone or has others'
/// parameters.
#pragma once

#include "weft/core/error.hpp"

#include <memory>
#include <utility>

namespace weft {

/// Stands for the parameters that one build of a model made. Whoever keeps something that belongs
/// to them, such as an optimiser's moments, keeps the mark and compares. A default one is no
/// build's.
using BuildMark = std::shared_ptr<const char>;

/// The marks of a model. The object's ends with the object: it is neither copied nor moved. The
/// build's moves along with the parameters; a copy, which is trained apart, gets one of its own.
class ModelMarks {
public:
    ModelMarks() = default;
    ModelMarks(const ModelMarks& other) { *this = other; }
    ModelMarks(ModelMarks&& other) { *this = std::move(other); }
    ModelMarks& operator=(const ModelMarks& other) {
        if (this != &other) build_ = other.build_ ? make() : nullptr;
        return *this;
    }
    ModelMarks& operator=(ModelMarks&& other) noexcept {
        build_ = std::exchange(other.build_, nullptr);
        return *this;
    }
    ~ModelMarks() = default;

    void begin_build() { build_ = make(); }

    const BuildMark& build() const { return build_; }
    std::weak_ptr<const char> object() const { return object_; }

private:
    WEFT_COLD static std::shared_ptr<const char> make() { return std::make_shared<const char>(); }

    std::shared_ptr<const char> object_ = make();
    BuildMark build_;
};

/// Refers to a model by address, as a plain reference does, and knows whether it is still there.
template <class Model>
class ModelReference {
public:
    explicit ModelReference(Model& model) : model_(&model), object_(model.marks().object()) {}

    /// Throws ArgumentError, in the name of the caller, when the model is gone.
    Model& get(std::string_view who) const {
        if (object_.expired()) refuse(who);
        return *model_;
    }

    /// Whether the model is there, with the parameters of that build.
    bool has(const BuildMark& build) const {
        return !object_.expired() && model_->marks().build() == build;
    }

private:
    WEFT_COLD [[noreturn]] static void refuse(std::string_view who) {
        throw ArgumentError(concat(who,
                                   ": the model is gone: it was destroyed, or its vector moved it "
                                   "as it grew; it has to stay in its place as long as what refers "
                                   "to it"));
    }

    Model* model_;
    std::weak_ptr<const char> object_;
};

}  // namespace weft
