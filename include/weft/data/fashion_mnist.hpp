/// \file
/// Fashion-MNIST: 70,000 grey pictures of clothes in ten classes. Needs zlib, and
/// src/data/fashion_mnist.cpp, which a project compiles once.
#pragma once

#include "weft/core/file_name.hpp"
#include "weft/core/tensor.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace weft {

/// The names of the classes; label i means fashion_mnist_classes[i].
inline constexpr std::array<std::string_view, 10> fashion_mnist_classes{
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

/// Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
/// machine learning algorithms" (2017), arXiv:1708.07747. The published set has 60,000 pictures for
/// training and 10,000 for testing, of 28 by 28 pixels. Other sets in the same format are read too.
struct FashionMnist {
    Tensor<std::uint8_t> train_images;  ///< (N, H, W), from 0, background, to 255
    Tensor<std::uint8_t> train_labels;  ///< (N), from 0 to 9
    Tensor<std::uint8_t> test_images;   ///< (M, H, W)
    Tensor<std::uint8_t> test_labels;   ///< (M)
};

/// Loads Fashion-MNIST from the given directory; without one, from the first of these directories
/// that holds any of its files:
///
///   $WEFT_DATA/fashion-mnist, then $WEFT_DATA itself, if WEFT_DATA is set
///   /usr/share/datasets/fashion-mnist, where Debian's package dataset-fashion-mnist puts it
///   $XDG_CACHE_HOME/weft/fashion-mnist, or ~/.cache/weft/fashion-mnist if that is not set
///
/// The files are train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, each under that name or with ".idx" for "-idx", each plain or with .gz.
/// Throws IoError, which lists the directories searched and how to get the data, if none has any.
/// Throws IoError, which names the file, if the data found are incomplete or damaged: wrong IDX or
/// gzip data, shapes that differ from FashionMnist's, no image, different numbers of labels and
/// images, a label above 9. It never goes on to the next directory then.
FashionMnist load_fashion_mnist(const FileName& directory = "");

}  // namespace weft
