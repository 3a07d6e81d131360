/// \file
/// Where the values of a plan lie in memory.
#pragma once

#include "weft/model/plan.hpp"

namespace weft::detail {

/// Offsets in bytes: of each value, of its gradient, and of what each node saves.
struct PlacedValues {
    std::vector<Index> values, gradients, saved;
    Index size_bytes = 0;
};

/// The lifetimes of a plan's values and the places that follow from them. Of S steps, forward of
/// step s runs at moment s, the loss at S, and backward of step s at 2 S - s. In training all
/// outputs live until the loss, so that what went wrong is found in them.
WEFT_COLD inline PlacedValues place_values(const Plan& plan, std::span<const Index> saved,
                                           Index samples, std::size_t scalar_bytes) {
    const auto& values = plan.values();
    const auto& steps = plan.steps();
    const bool is_training = plan.kind() == PassKind::training;
    const std::size_t end = steps.size();
    // Of each value, then of each gradient, then of what each node saves; as large as what lies in
    // it, as long as somebody needs it.
    std::vector<Place> places(2 * values.size() + saved.size());
    const auto need = [&](std::size_t i, std::size_t value, std::size_t from, std::size_t to) {
        const Index bytes =
            values[value].shape.batch(samples).size() * static_cast<Index>(scalar_bytes);
        Place& place = places[i];
        const bool is_new = place.last == 0 && place.bytes == 0;
        place.first = is_new ? from : (std::min)(place.first, from);
        place.last = (std::max)(place.last, to);
        place.bytes = (std::max)(place.bytes, bytes);
    };
    const auto gradient = [&](std::size_t value) {
        return values.size() + values[value].gradient;
    };
    for (std::size_t s = 0; s < end; ++s) {
        const PlanStep& step = steps[s];
        const std::size_t back = 2 * end - s;
        need(values[step.output].memory, step.output, s, is_training ? back : s);
        // Value 0 lies in the caller's memory.
        if (values[step.input].memory != 0) {
            need(values[step.input].memory, step.input, s, is_training ? back : s);
        }
        if (!is_training) continue;
        if (!step.is_activation) places[2 * values.size() + step.node] = {saved[step.node], s, back};
        if (!values[step.output].needs_gradient) continue;
        need(gradient(step.output), step.output, back, back);
        if (values[step.input].needs_gradient) need(gradient(step.input), step.input, back, back);
    }
    // The output is read, and its gradient written, when all steps are over. A view of value 0 is
    // copied there.
    const std::size_t output = plan.output();
    need(values[output].memory, output, end, end);
    if (is_training) need(gradient(output), output, end, end);
    PlacedValues result;
    result.size_bytes = assign_places(places);
    for (const PlanValue& value : values) {
        result.values.push_back(places[value.memory].offset);
        result.gradients.push_back(places[values.size() + value.gradient].offset);
    }
    for (std::size_t i = 0; i < saved.size(); ++i) {
        result.saved.push_back(places[2 * values.size() + i].offset);
    }
    return result;
}

}  // namespace weft::detail
