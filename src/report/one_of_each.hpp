/// \file
/// OneOfEach: a dataset with one of several inputs and one of several targets.
#pragma once

#include "picture.hpp"

#include "weft/report/run_report.hpp"

namespace weft::detail {

/// The samples with one of their inputs and one of their targets.
class OneOfEach final : public Dataset<float> {
public:
    OneOfEach(const Examples<float>& all, std::size_t input, std::size_t target)
        : all_(all),
          x_(part(all->input_shapes(), input, "input")),
          y_(part(all->target_shapes(), target, "output")) {}

    Index size() const override { return all_->size(); }
    Shape input_shape() const override { return x_.shape; }
    Shape target_shape() const override { return y_.shape; }

    void gather(std::span<const Index> samples, float* x, float* y) const override {
        Tensor<float> xs(all_->input_shape()), ys(all_->target_shape());
        for (std::size_t i = 0; i < samples.size(); ++i) {
            all_->gather(samples.subspan(i, 1), x ? xs.data() : nullptr, y ? ys.data() : nullptr);
            if (x) x = std::copy_n(xs.data() + x_.first, x_.shape.size(), x);
            if (y) y = std::copy_n(ys.data() + y_.first, y_.shape.size(), y);
        }
    }

private:
    /// The place of one input or target in a sample.
    struct Part {
        Shape shape;
        Index first = 0;
    };

    static Part part(const std::vector<Shape>& shapes, std::size_t k, std::string_view option) {
        if (k >= shapes.size()) {
            throw ArgumentError(concat("report: ", option, " is ", k, ", expected 0 to ",
                                       shapes.size() - 1, " for these data"));
        }
        Part part{shapes[k]};
        for (std::size_t i = 0; i < k; ++i) part.first += shapes[i].size();
        return part;
    }

    Examples<float> all_;
    Part x_, y_;
};

/// The run with data of one input and one output: the run's input and output, or the first input
/// that is a picture.
inline RunReport with_one_of_each(const RunReport& run) {
    RunReport shown = run;
    for (Examples<float>* const data : {&shown.train, &shown.test}) {
        if (!*data) continue;
        const std::vector<Shape> inputs = (*data)->input_shapes();
        std::size_t input = run.input.value_or(0);
        if (!run.input) {
            const auto first = std::ranges::find_if(inputs, is_picture);
            if (first != inputs.end()) input = static_cast<std::size_t>(first - inputs.begin());
        }
        *data = Examples<float>(std::make_shared<OneOfEach>(*data, input, run.output));
    }
    return shown;
}

/// A note about parts that a page leaves out for several inputs or outputs; else empty.
inline std::string left_out(const RunReport& run) {
    const Examples<float>& data = run.test ? run.test : run.train;
    if (!data) return {};
    const std::size_t inputs = data->input_shapes().size(), outputs = data->target_shapes().size();
    if (inputs == 1 && outputs == 1) return {};
    return concat("<p>The data have ", inputs, " inputs and ", outputs,
                  " outputs, counted from 0. Scores and curves are of all outputs; classes and "
                  "predictions of output ",
                  run.output, " alone, and pictures of one input.</p>\n");
}

}  // namespace weft::detail
