/// \file
/// The sums of a batch's losses and matches, the same on every device.
#pragma once

#include "weft/config.hpp"
#include "weft/core/tensor_view.hpp"

namespace weft::kernels {

/// The predictions that count as correct, for kernels that count them.
struct Matches {
    enum class Kind {
        none,         ///< nothing is counted
        sparse,       ///< rows whose argmax is the label
        categorical,  ///< rows whose argmax is the target's
        binary        ///< numbers above the threshold if and only if the target is 1; one per row
    };
    Kind kind = Kind::none;
    double threshold = 0;

    constexpr bool is_any() const { return kind != Kind::none; }
};

/// The sums that a batch's losses are added to, all on the device.
template <class Scalar, class Device>
struct BatchScore {
    TensorView<double, Device> loss;  ///< (2): the losses' total, and their number
    double mark = 0;
    double* wrong = nullptr;  ///< = mark, if it is 0 and a loss is not finite; may be null
    Matches matches = {};
    TensorView<double, Device> matched = {};  ///< (2): the matches and their possible number
    TensorView<const Scalar, Device> predictions = {}, targets = {};  ///< compared for matches
};

/// The losses (R) that a kernel writes, and the score to add them to, if there is one.
template <class Scalar, class Device>
struct ScoredLosses {
    TensorView<Scalar, Device> values;
    const BatchScore<Scalar, Device>* score;

    ScoredLosses(TensorView<Scalar, Device> losses,
                 const BatchScore<Scalar, Device>* batch_score = nullptr)
        : values(losses), score(batch_score) {}

    /// For kernels that do not compute the score.
    operator TensorView<Scalar, Device>() const { return values; }
    auto data() const { return values.data(); }
    Index size() const { return values.size(); }
};

inline namespace WEFT_BUILD_NAMESPACE {

/// matched (2) += the matches and their possible number.
template <class Scalar, class Device>
WEFT_NOINLINE void add_matches(Device& device, const BatchScore<Scalar, Device>& of) {
    switch (of.matches.kind) {
        case Matches::Kind::none:
            return;
        case Matches::Kind::sparse:
            return add_sparse_matches<Scalar>(device, of.predictions, of.targets, of.matched);
        case Matches::Kind::categorical:
            return add_categorical_matches<Scalar>(device, of.predictions, of.targets, of.matched);
        case Matches::Kind::binary:
            return add_binary_matches<Scalar>(device, of.predictions, of.targets,
                                              static_cast<Scalar>(of.matches.threshold),
                                              of.matched);
    }
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
