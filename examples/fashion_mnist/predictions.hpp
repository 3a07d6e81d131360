// What the network makes of pictures, for people and for other programs.
#pragma once

#include <weft/data/fashion_mnist.hpp>

#include <algorithm>
#include <iostream>
#include <string>

/// The class with the highest probability (classes).
inline weft::Index best_class(weft::TensorView<const float> probabilities) {
    return std::ranges::max_element(probabilities) - probabilities.begin();
}

/// Prints the probability of each class (10), with its name.
inline void print_probabilities(weft::TensorView<const float> probabilities) {
    for (std::size_t c = 0; c < weft::fashion_mnist_classes.size(); ++c) {
        std::cout << "  " << probabilities[static_cast<weft::Index>(c)] << "  "
                  << weft::fashion_mnist_classes[c] << "\n";
    }
}

/// The classes of pictures with those probabilities (N, classes) as CSV: id,class
inline std::string predictions_csv(const weft::Tensor<float>& probabilities) {
    std::string csv = "id,class\n";
    for (weft::Index i = 0; i < probabilities.shape()[0]; ++i) {
        csv += weft::concat(i, ",", best_class(probabilities.sample(i)), "\n");
    }
    return csv;
}
