/// \file
/// What becomes of the losses of a batch, the same on every device.
#pragma once

#include "weft/config.hpp"
#include "weft/core/tensor_view.hpp"

namespace weft::kernels {

/// Which predictions are right, for kernels that count them.
struct Matches {
    enum class Kind {
        none,         ///< nothing is counted
        sparse,       ///< rows whose argmax is the label
        categorical,  ///< rows whose argmax is the target's
        binary        ///< numbers above the threshold just where the target is 1; one a row
    };
    Kind kind = Kind::none;
    double threshold = 0;

    constexpr bool is_any() const { return kind != Kind::none; }
};

/// Where what is made of a batch's losses is added to, all of it on the device.
template <class Scalar, class Device>
struct BatchScore {
    TensorView<double, Device> loss;  ///< (2): the losses' total, and their number
    double mark = 0;
    double* wrong = nullptr;  ///< = mark, if it is 0 and a loss is not finite; not where it is null
    Matches matches = {};
    TensorView<double, Device> matched = {};  ///< (2): the matches, and of how many
    TensorView<const Scalar, Device> predictions = {}, targets = {};  ///< that are to match
};

/// Losses (R) that a kernel leaves; with a score, what is to become of them.
template <class Scalar, class Device>
struct ScoredLosses {
    TensorView<Scalar, Device> values;
    const BatchScore<Scalar, Device>* score;

    ScoredLosses(TensorView<Scalar, Device> losses,
                 const BatchScore<Scalar, Device>* batch_score = nullptr)
        : values(losses), score(batch_score) {}

    /// For kernels that leave the score to others.
    operator TensorView<Scalar, Device>() const { return values; }
    auto data() const { return values.data(); }
    Index size() const { return values.size(); }
};

inline namespace WEFT_BUILD_NAMESPACE {

/// matched (2) += the matches, and of how many.
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
