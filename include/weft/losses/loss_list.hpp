/// \file
/// LossList: the loss of each output of a model.
#pragma once

#include "weft/core/by_output.hpp"
#include "weft/losses/loss.hpp"

#include <vector>

namespace weft {

/// The loss of a model, or one for each of its outputs, in order or by name:
///
///   .loss = MeanSquaredError{}
///   .loss = {MeanSquaredError{}, SparseCategoricalCrossentropy{}}
///   .loss = {{"digit", SparseCategoricalCrossentropy{}}, {"place", MeanSquaredError{}}}
template <class Scalar, class Device>
class LossList : public LossDeclaration<Scalar, Device> {
public:
    using Declaration = LossDeclaration<Scalar, Device>;

    template <class D>
    requires std::derived_from<typename D::template Function<Scalar, Device>, Loss<Scalar, Device>>
    WEFT_COLD LossList(const D& declaration) : Declaration(declaration) {}
    LossList(const Declaration& declaration) : Declaration(declaration) {}
    LossList() = delete;             // the loss is missing
    LossList(const char*) = delete;  // a loss is MeanSquaredError{}
    WEFT_COLD LossList(const LossList&) = default;
    WEFT_COLD LossList(LossList&&) = default;
    WEFT_COLD LossList& operator=(const LossList&) = default;
    WEFT_COLD LossList& operator=(LossList&&) = default;
    WEFT_COLD ~LossList() = default;
    WEFT_COLD LossList(std::initializer_list<Declaration> losses) : LossList(Several(losses)) {}
    /// Throws ArgumentError for an empty list.
    WEFT_COLD LossList(const std::vector<Declaration>& losses) : LossList(Several(losses)) {}
    WEFT_COLD LossList(std::initializer_list<Named<Declaration>> losses)
        : LossList(Several(losses)) {}

    std::size_t size() const { return size_; }

    /// The loss of output k.
    const Declaration& operator[](std::size_t k) const { return k == 0 ? *this : (*several_)[k]; }

    /// Whether the losses have the outputs' names, in order, or no names.
    bool are_for(const std::vector<std::string>& outputs) const {
        return !several_ || several_->are_for(outputs);
    }

    /// Puts named losses into the order of the outputs. Throws ArgumentError unless each output has
    /// one loss.   option: "trainer: loss"
    void put_in_order(const std::vector<std::string>& outputs, std::string_view option) {
        if (several_) in_order_(*this, outputs, option);
    }

private:
    using Several = ByOutput<Declaration>;

    WEFT_COLD explicit LossList(const Several& several)
        : Declaration(first(several)),
          size_(several.size()),
          several_(new Several(several)),
          in_order_(in_order) {}

    WEFT_COLD static void in_order(LossList& losses, const std::vector<std::string>& outputs,
                                   std::string_view option) {
        Several several(*losses.several_);
        several.put_in_order(outputs, option);
        losses = LossList(several);
    }

    WEFT_COLD static const Declaration& first(const Several& losses) {
        if (losses.empty()) throw ArgumentError("loss: the list is empty, expected a loss");
        return losses.front();
    }

    std::size_t size_ = 1;
    std::shared_ptr<const Several> several_;  ///< null if there is one
    /// A pointer: programs with one loss do not compile it.
    void (*in_order_)(LossList&, const std::vector<std::string>&, std::string_view) = nullptr;
};

}  // namespace weft
