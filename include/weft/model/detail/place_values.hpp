/// \file
/// The places of a plan's values in memory.
#pragma once

#include "weft/model/places.hpp"
#include "weft/model/plan.hpp"

namespace weft::detail {

/// Offsets in bytes.
struct PlacedValues {
    std::vector<Index> values, gradients;  ///< of each value
    std::vector<Index> saved;              ///< of each step: the data the layer saves for backward
    std::vector<Index> added;    ///< of each step: gradients, one per input, to be added to others
    std::vector<Index> outputs;  ///< of each output: where the loss writes its gradient
    Index size_bytes = 0;
};

/// The lifetimes of a plan's values and the places that follow from them.
///
/// With S steps, forward of step s runs at moment s, the loss at S, and backward of step s
/// at 2 S - s. A value lives from the step that writes it to its last reader; observed values live
/// at least until the loss.
///
/// saved: bytes of each step.
class ValuePlacer {
public:
    ValuePlacer(const Plan& plan, Index samples, std::size_t scalar_bytes)
        : plan_(plan),
          samples_(samples),
          scalar_bytes_(static_cast<Index>(scalar_bytes)),
          places_(2 * (plan.values().size() + plan.steps().size()) + plan.output_count()) {}

    WEFT_COLD PlacedValues place(Span<const Index> saved) {
        const std::size_t values = plan_.values().size(), steps = plan_.steps().size();
        const bool is_training = weft::is_training(plan_.kind());
        const bool is_observed = plan_.kind() == PassKind::observed;
        for (std::size_t s = 0; s < steps; ++s) {
            const std::size_t back = 2 * steps - s;
            const PlanStep& step = plan_.steps()[s];
            const bool goes_back = is_training && value(step.output).needs_gradient;
            const bool reads_x = goes_back && step.backward_reads_x;
            const bool reads_y = goes_back && step.backward_reads_y;
            need(step.output, s, reads_y ? back : is_observed ? steps : s);
            Index added = 0;
            for (const PlanInput& input : plan_.inputs(step)) {
                // Values in the caller's memory need none here.
                if (!plan_.is_of_caller(input.value)) need(input.value, s, reads_x ? back : s);
                if (!is_training || !value(input.value).needs_gradient) continue;
                need_gradient(input.value, back);
                if (input.adds_gradient) added += bytes_of(input.value);
            }
            if (!is_training) continue;
            places_[2 * values + s] = {saved[s], s, back};
            places_[2 * values + steps + s] = {added, back, back};
            if (value(step.output).needs_gradient) need_gradient(step.output, back);
        }
        // The saved data of a dropout are written and read by the step that absorbs it.
        for (std::size_t s = 0; s < steps; ++s) {
            if (plan_.steps()[s].dropout == PlanStep::none) continue;
            Place& kept = places_[2 * values + plan_.steps()[s].dropout];
            kept.first = s;
            kept.last = 2 * steps - s;
        }
        // Likewise a batch norm's moments, which the batch norm may read as well.
        for (std::size_t s = 0; s < steps; ++s) {
            if (plan_.steps()[s].norm == PlanStep::none) continue;
            Place& moments = places_[2 * values + plan_.steps()[s].norm];
            moments.first = (std::min)(moments.first, s);
        }
        // Outputs are read, and their gradients written, after all steps. A view of the caller's
        // memory is copied there.
        const std::size_t beside = 2 * (values + steps);
        for (std::size_t k = 0; k < plan_.output_count(); ++k) {
            const std::size_t output = plan_.output(k);
            need(output, steps, steps);
            if (!is_training) continue;
            need_gradient(output, steps);
            if (plan_.first_with_gradient(k) == k) continue;
            places_[beside + k] = {bytes_of(output), steps, steps};
        }
        PlacedValues result;
        result.size_bytes = assign_places(places_);
        const auto offsets_of = [&](std::size_t count, auto place_of) {
            std::vector<Index> offsets(count);
            for (std::size_t i = 0; i < count; ++i) offsets[i] = places_[place_of(i)].offset;
            return offsets;
        };
        result.values = offsets_of(values, [&](std::size_t i) { return value(i).memory; });
        result.gradients =
            offsets_of(values, [&](std::size_t i) { return values + value(i).gradient; });
        result.saved = offsets_of(steps, [&](std::size_t s) { return 2 * values + s; });
        result.added = offsets_of(steps, [&](std::size_t s) { return 2 * values + steps + s; });
        result.outputs = offsets_of(plan_.output_count(), [&](std::size_t k) {
            const bool is_first = plan_.first_with_gradient(k) == k;
            return is_first ? values + value(plan_.output(k)).gradient : beside + k;
        });
        return result;
    }

private:
    const PlanValue& value(std::size_t i) const { return plan_.values()[i]; }
    Index bytes_of(std::size_t i) const {
        return value(i).shape.batch(samples_).size() * scalar_bytes_;
    }

    WEFT_COLD void need(std::size_t i, std::size_t from, std::size_t to) {
        need(places_[value(i).memory], bytes_of(i), from, to);
    }
    WEFT_COLD void need_gradient(std::size_t i, std::size_t when) {
        need(places_[plan_.values().size() + value(i).gradient], bytes_of(i), when, when);
    }
    WEFT_COLD static void need(Place& place, Index bytes, std::size_t from, std::size_t to) {
        if (place.bytes == 0) place.first = from;
        place.first = (std::min)(place.first, from);
        place.last = (std::max)(place.last, to);
        place.bytes = (std::max)(place.bytes, bytes);
    }

    const Plan& plan_;
    Index samples_, scalar_bytes_;
    std::vector<Place> places_;  ///< of values, gradients, steps' data, outputs
};

}  // namespace weft::detail
