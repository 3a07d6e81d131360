/// \file
/// The reference values that tests/reference/generate.py made with Keras.
#pragma once

#include "weft/core/tensor.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace weft {

/// One case of a reference file: named fields. What is missing throws and names file, case, field.
class ReferenceCase {
public:
    ReferenceCase(std::string where, nlohmann::json fields)
        : where_(std::move(where)), fields_(std::move(fields)) {
        where_ += concat(": case ", at("name").get<std::string>());
    }

    std::string name() const { return at("name"); }
    bool has(const std::string& field) const { return fields_.contains(field); }
    const nlohmann::json& fields() const { return fields_; }

    const nlohmann::json& at(const std::string& field) const {
        if (!has(field)) throw std::runtime_error(concat(where_, " has no field ", field));
        return fields_[field];
    }

private:
    std::string where_;
    nlohmann::json fields_;
};

/// All cases of tests/reference/<file>, at least one.
inline std::vector<ReferenceCase> reference_cases(const std::string& file) {
    const std::string path = concat(WEFT_SOURCE_DIR, "/tests/reference/", file);
    std::ifstream stream(path);
    if (!stream) throw std::runtime_error(concat(path, ": cannot be opened"));
    std::vector<ReferenceCase> cases;
    try {
        nlohmann::json contents = nlohmann::json::parse(stream);
        for (nlohmann::json& fields : contents.at("cases")) {
            cases.emplace_back(path, std::move(fields));
        }
    } catch (const nlohmann::json::exception& error) {
        throw std::runtime_error(concat(path, ": ", error.what()));
    }
    if (cases.empty()) throw std::runtime_error(concat(path, ": it has no cases"));
    return cases;
}

/// The tensor that {"shape": [...], "values": [...]} stands for.
template <class Scalar = double>
Tensor<Scalar> reference_tensor(const nlohmann::json& field) {
    const auto extents = field.at("shape").get<std::vector<Index>>();
    const auto values = field.at("values").get<std::vector<double>>();
    Tensor<Scalar> tensor(Shape{std::span<const Index>(extents)});
    if (tensor.size() != static_cast<Index>(values.size())) {
        throw std::runtime_error(concat("reference tensor of shape ", tensor.shape(), " with ",
                                        values.size(), " values"));
    }
    std::ranges::transform(values, tensor.begin(), [](double x) { return static_cast<Scalar>(x); });
    return tensor;
}

}  // namespace weft
