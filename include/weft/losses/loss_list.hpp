/// \file
/// LossList: the loss of each output of a model.
#pragma once

#include "weft/core/by_name.hpp"
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
    WEFT_COLD LossList(std::initializer_list<Declaration> losses)
        : LossList(std::vector<Declaration>(losses)) {}

    /// Throws ArgumentError for an empty list.
    WEFT_COLD LossList(const std::vector<Declaration>& losses) : LossList(Several{losses}) {}
    WEFT_COLD LossList(std::initializer_list<Named<Declaration>> losses)
        : LossList(by_name(losses)) {}

    std::size_t size() const { return size_; }

    /// The loss of output k.
    const Declaration& operator[](std::size_t k) const { return k == 0 ? *this : several_->all[k]; }

    /// Whether the losses have the outputs' names, in order, or no names.
    bool are_for(const std::vector<std::string>& outputs) const {
        return !several_ || detail::are_names_of(several_->names, outputs);
    }

    /// Puts named losses into the order of the outputs. Throws ArgumentError unless each output has
    /// one loss.   option: "trainer: loss"
    void put_in_order(const std::vector<std::string>& outputs, std::string_view option) {
        if (several_ && several_->in_order) several_->in_order(*this, outputs, option);
    }

private:
    struct Several {
        std::vector<Declaration> all;
        std::vector<std::string> names = {};
        /// A pointer: programs without names do not compile it.
        void (*in_order)(LossList&, const std::vector<std::string>&, std::string_view) = nullptr;
    };

    WEFT_COLD explicit LossList(Several several)
        : Declaration(first(several.all)),
          size_(several.all.size()),
          several_(std::make_shared<const Several>(std::move(several))) {}

    WEFT_COLD static Several by_name(std::initializer_list<Named<Declaration>> losses) {
        Several several{{}, {}, in_order};
        for (const Named<Declaration>& loss : losses) {
            several.all.push_back(loss.value);
            several.names.push_back(loss.name);
        }
        return several;
    }

    WEFT_COLD static void in_order(LossList& losses, const std::vector<std::string>& outputs,
                                   std::string_view option) {
        const auto places =
            detail::places_by_name(losses.several_->names, outputs, true, option, "output");
        Several several{std::vector<Declaration>(outputs.size(), losses), outputs, in_order};
        for (std::size_t i = 0; i < places.size(); ++i) several.all[places[i]] = losses[i];
        losses = LossList(std::move(several));
    }

    WEFT_COLD static const Declaration& first(const std::vector<Declaration>& losses) {
        if (losses.empty()) throw ArgumentError("loss: the list is empty, expected a loss");
        return losses.front();
    }

    std::size_t size_ = 1;
    std::shared_ptr<const Several> several_;
};

}  // namespace weft
