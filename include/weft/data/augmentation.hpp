/// \file
/// Augmentation: random changes of training images, drawn anew each epoch.
#pragma once

#include "weft/core/random.hpp"
#include "weft/data/detail/change_image.hpp"
#include "weft/data/wrapped_dataset.hpp"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <functional>
#include <vector>

namespace weft {

/// The range of a random number. A single number x stands for -x to x, as in Keras.
struct FactorRange {
    double low;   ///< the least number
    double high;  ///< the greatest number

    constexpr FactorRange(double x) : low(-x), high(x) {}
    constexpr FactorRange(double lowest, double highest) : low(lowest), high(highest) {}
};

/// The random numbers of one augmentation for one sample in one epoch: a function of seed, epoch,
/// place in the list of augmentations and index of the sample. The number of threads and the order
/// of samples do not matter.
class AugmentationRandom {
public:
    AugmentationRandom(TrainingEpoch epoch, std::uint32_t step, Index sample)
        : stream_(epoch.seed, RandomPurpose::augmentation, step, epoch.number),
          first_(static_cast<std::uint64_t>(sample) << 32) {}

    /// Number i, below 2^32, uniform in the range.
    double uniform(std::uint32_t i, FactorRange range) const {
        return stream_.uniform(first_ + i, range.low, range.high);
    }
    bool bernoulli(std::uint32_t i, double probability) const {
        return stream_.bernoulli(first_ + i, probability);
    }

private:
    RandomStream stream_;
    std::uint64_t first_;
};

/// An augmentation that describes its change of an image as an ImageChange.
template <class Step>
concept HasChange =
    requires(const Step& step, const Shape& image, const AugmentationRandom& random) {
        { step.change(image, random) } -> std::same_as<ImageChange>;
    };

/// An augmentation: RandomFlip, RandomTranslation, ..., or a type of the user's own with
///
///   template <class Scalar>
///   void apply(TensorView<Scalar> image, const AugmentationRandom& random) const;
///
/// that changes the image (H, W, C) in place, or with
///
///   ImageChange change(const Shape& image, const AugmentationRandom& random) const;
///
/// that only describes the change, which a GPU can apply too. Both are called by several threads at
/// once. A check(), if there is one, is called once and throws ArgumentError for bad options.
template <class Scalar>
class Augmentation {
public:
    template <class Step>
    requires requires(const Step& step, TensorView<Scalar> image,
                      const AugmentationRandom& random) { step.apply(image, random); } &&
             (!HasChange<Step>)
    Augmentation(Step step)
        : apply_([step](TensorView<Scalar> image, const AugmentationRandom& random) {
              step.apply(image, random);
          }) {
        if constexpr (requires { step.check(); }) step.check();
    }

    template <HasChange Step>
    Augmentation(Step step)
        : change_([step](const Shape& image, const AugmentationRandom& random) {
              return step.change(image, random);
          }) {
        if constexpr (requires { step.check(); }) step.check();
    }

    void apply(TensorView<Scalar> image, const AugmentationRandom& random) const {
        if (is_change()) {
            detail::change_image(image, change_(image.shape(), random));
        } else {
            apply_(image, random);
        }
    }

    /// Whether it describes its change as an ImageChange, and that change.
    bool is_change() const { return change_ != nullptr; }
    ImageChange change(const Shape& image, const AugmentationRandom& random) const {
        return change_(image, random);
    }

private:
    std::function<void(TensorView<Scalar>, const AugmentationRandom&)> apply_;
    std::function<ImageChange(const Shape&, const AugmentationRandom&)> change_;
};

namespace detail {

template <class Scalar>
class Augmented final : public WrappedDataset<Scalar>, ChangedImages<Scalar> {
public:
    Augmented(Examples<Scalar> inner, std::vector<Augmentation<Scalar>> steps)
        : WrappedDataset<Scalar>(std::move(inner)), steps_(std::move(steps)) {
        const Shape sample = this->input_shape();
        if (sample.rank() != 2 && sample.rank() != 3) {
            throw ShapeError(join({"augmented: samples have shape ", sample,
                                   ", expected pictures (H, W) or (H, W, C)"}));
        }
        image_shape_ = sample.rank() == 3 ? sample : Shape{sample[0], sample[1], 1};
    }

    const ChangedImages<Scalar>* changed_images() const override {
        const bool are_changes = std::all_of(steps_.begin(), steps_.end(),
                                             [](const auto& step) { return step.is_change(); });
        return are_changes && this->inner().is_constant() ? this : nullptr;
    }

private:
    Shape image_shape() const override { return image_shape_; }
    Index changes_per_image() const override { return std::ssize(steps_); }

    void write_changes(std::span<const Index> samples, TrainingEpoch epoch,
                       ImageChange* changes) const override {
        for (const Index sample : samples) {
            for (std::size_t step = 0; step < steps_.size(); ++step) {
                const AugmentationRandom random(epoch, static_cast<std::uint32_t>(step), sample);
                *changes++ = steps_[step].change(image_shape_, random);
            }
        }
    }

    void change(std::span<const Index> samples, const std::optional<TrainingEpoch>& epoch,
                Scalar* x) const override {
        if (!epoch) return;
        for (const Index sample : samples) {
            for (std::size_t step = 0; step < steps_.size(); ++step) {
                const AugmentationRandom random(*epoch, static_cast<std::uint32_t>(step), sample);
                steps_[step].apply({x, image_shape_}, random);
            }
            x += image_shape_.size();
        }
    }

    std::vector<Augmentation<Scalar>> steps_;
    Shape image_shape_;  ///< (H, W, C)
};

/// Throws ArgumentError unless  lowest <= low <= high <= highest.
WEFT_COLD inline void require_range(std::string_view who, std::string_view option,
                                    FactorRange range, double lowest, double highest) {
    if (lowest <= range.low && range.low <= range.high && range.high <= highest) return;
    throw ArgumentError(join({who, ": ", option, " is from ", range.low, " to ", range.high,
                              ", expected a range within ", lowest, " and ", highest}));
}

WEFT_COLD inline void require_fill_value(std::string_view who, double value) {
    require_option(std::isfinite(value), who, "fill_value", value, "a finite number");
}

}  // namespace detail

/// The samples, images (H, W) or (H, W, C). For training, each of the augmentations in turn changes
/// them, anew each epoch, with the seed of fit. For evaluation, also of validation_split, they stay
/// unchanged. Targets never change.
///
///   augmented(examples, {RandomFlip{FlipMode::horizontal},
///                        RandomTranslation{.height_factor = 0.1, .width_factor = 0.1}})
///
/// Throws ShapeError for samples of other ranks, ArgumentError for options out of range.
template <class Scalar>
Examples<Scalar> augmented(Examples<Scalar> examples,
                           std::type_identity_t<std::vector<Augmentation<Scalar>>> augmentations) {
    return {
        std::make_shared<detail::Augmented<Scalar>>(std::move(examples), std::move(augmentations))};
}

}  // namespace weft
