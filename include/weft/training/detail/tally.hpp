/// \file
/// Tally: the sums of a run, kept on its device until the host reads them.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/kernels/tally.hpp"
#include "weft/metrics/metric.hpp"

#include <vector>

namespace weft::detail {

/// The place of a step's number that is not finite, as marked in a tally.
enum class Wrong { nowhere, input, score, gradient, parameter };

constexpr double mark(Wrong where) { return static_cast<double>(where); }

/// The sums that kernels add to, batch by batch, and the host's copy. A mark of a number that is
/// not finite stops all updates from its step on, without the host.
template <class Device>
class Tally {
public:
    using Places = kernels::TallyPlaces;

    /// scores: the loss, then the metrics.
    WEFT_COLD Tally(std::size_t scores, const Device& device)
        : sums_(scores), record_(Shape{Places::size(std::ssize(sums_))}, device) {}

    // ---- For kernels ----------------------------------------------------------------------------

    /// Score i of this batch, to add to: (sum, count).
    TensorView<double, Device> score(std::size_t i) {
        return {at(Places::scores) + 2 * i, Shape{2}};
    }
    double* parameter_penalty() { return at(Places::parameter_penalty); }
    double* wrong() {
        is_read_ = false;
        return at(Places::wrong);
    }

    /// Tells that kernels have added to it.
    void changed() { is_read_ = false; }

    /// Adds the batch to those before, unless it or an earlier one has a number that is not finite.
    void finish_batch(Device& device) { end_batch(device, all()); }

    /// All places, for a kernel that finishes the batch itself.
    TensorView<double, Device> all() {
        is_read_ = false;
        return {at(0), record_.shape()};
    }

    // ---- For the host ---------------------------------------------------------------------------

    /// Starts from the sums of earlier batches.
    WEFT_COLD void begin(const Device& device, Index batches, Span<const MetricSum> sums) {
        const TensorView<double> record = record_.host();
        std::fill_n(record.data(), record.size(), 0.0);
        record[Places::batches] = static_cast<double>(batches);
        for (std::size_t i = 0; i < sums_.size(); ++i) {
            double* const of_score = record.data() + first_sum() + 2 * i;
            of_score[0] = sums[i].sum;
            of_score[1] = sums[i].count;
        }
        record_.send(device, record.size());
        is_read_ = false;
    }

    Wrong where(const Device& device) const {
        return static_cast<Wrong>(static_cast<int>(read(device)[Places::wrong]));
    }
    /// The number of batches before a number that is not finite.
    Index batches(const Device& device) const {
        return static_cast<Index>(read(device)[Places::batches]);
    }
    WEFT_COLD const std::vector<MetricSum>& sums(const Device& device) const {
        const TensorView<const double> record = read(device);
        for (std::size_t i = 0; i < sums_.size(); ++i) {
            const double* const of_score = record.data() + first_sum() + 2 * i;
            sums_[i] = {of_score[0], of_score[1]};
        }
        return sums_;
    }

private:
    double* at(Index i) { return record_.data() + i; }
    std::size_t first_sum() const {
        return static_cast<std::size_t>(Places::scores) + 2 * sums_.size();
    }

    /// The numbers on the host, copied from the device once after a change.
    TensorView<const double> read(const Device& device) const {
        if (!is_read_) record_.fetch(device);
        is_read_ = true;
        return record_.host();
    }

    mutable std::vector<MetricSum> sums_;
    mutable StagedTensor<double, Device> record_;
    mutable bool is_read_ = false;
};

}  // namespace weft::detail
