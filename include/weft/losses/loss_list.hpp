/// \file
/// LossList: a loss for each output of a model.
#pragma once

#include "weft/core/error.hpp"
#include "weft/losses/loss.hpp"

#include <vector>

namespace weft {

/// The loss of a model, or one for each of its outputs, in their order:
///
///   .loss = MeanSquaredError{}
///   .loss = {MeanSquaredError{}, SparseCategoricalCrossentropy{}}
template <class Scalar, class Device>
class LossList : public LossDeclaration<Scalar, Device> {
public:
    using Declaration = LossDeclaration<Scalar, Device>;

    template <class D>
    requires std::derived_from<typename D::template Function<Scalar, Device>, Loss<Scalar, Device>>
    WEFT_COLD LossList(const D& declaration) : Declaration(declaration) {}
    LossList(const Declaration& declaration) : Declaration(declaration) {}
    WEFT_COLD LossList(const LossList&) = default;
    WEFT_COLD LossList(LossList&&) = default;
    WEFT_COLD LossList& operator=(const LossList&) = default;
    WEFT_COLD LossList& operator=(LossList&&) = default;
    WEFT_COLD ~LossList() = default;
    WEFT_COLD LossList(std::initializer_list<Declaration> losses)
        : LossList(std::vector<Declaration>(losses)) {}

    /// Throws ArgumentError where there are none.
    WEFT_COLD LossList(const std::vector<Declaration>& losses)
        : Declaration(first(losses)),
          size_(losses.size()),
          all_(std::make_shared<const std::vector<Declaration>>(losses)) {}

    std::size_t size() const { return size_; }

    /// That of output k.
    const Declaration& operator[](std::size_t k) const { return k == 0 ? *this : (*all_)[k]; }

private:
    WEFT_COLD static const Declaration& first(const std::vector<Declaration>& losses) {
        if (losses.empty()) throw ArgumentError("loss: the list is empty, expected a loss");
        return losses.front();
    }

    std::size_t size_ = 1;
    std::shared_ptr<const std::vector<Declaration>> all_;  ///< of several
};

}  // namespace weft
