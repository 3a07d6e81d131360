/// \file
/// Fashion-MNIST: 70,000 grey pictures of clothes in ten classes. Needs zlib.
#pragma once

#include "weft/data/gzip.hpp"

#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

namespace weft {

/// The names of the classes; label i means fashion_mnist_classes[i].
inline constexpr std::array<std::string_view, 10> fashion_mnist_classes{
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

/// Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
/// machine learning algorithms" (2017), arXiv:1708.07747. The published set has 60,000 pictures
/// for training and 10,000 for testing, of 28 by 28 pixels; any other set in the same files is
/// welcome too.
struct FashionMnist {
    Tensor<std::uint8_t> train_images;  ///< (N, H, W), from 0, background, to 255
    Tensor<std::uint8_t> train_labels;  ///< (N), from 0 to 9
    Tensor<std::uint8_t> test_images;   ///< (M, H, W)
    Tensor<std::uint8_t> test_labels;   ///< (M)
};

/// Loads Fashion-MNIST from the given directory; or, when none is given, from the first of these
/// that holds any of its files:
///
///   $WEFT_DATA/fashion-mnist, then $WEFT_DATA itself, if WEFT_DATA is set
///   /usr/share/datasets/fashion-mnist, where Debian's package dataset-fashion-mnist puts it
///   $XDG_CACHE_HOME/weft/fashion-mnist, or ~/.cache/weft/fashion-mnist if that is not set
///
/// The files are train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, each under that name or with ".idx" for "-idx", each plain or with .gz.
/// Throws IoError, which says where it looked and how to get the data, when there is none; and
/// IoError, which names the file, when the place found is incomplete or damaged: wrong IDX or gzip
/// data, shapes that differ from FashionMnist's, no image, another number of labels than of images,
/// a label above 9. It never passes over such a place to the next.
inline FashionMnist load_fashion_mnist(const std::filesystem::path& directory = {});

namespace detail {

/// A directory to look in, and what made us look there.
struct DataPlace {
    std::filesystem::path directory;
    std::string_view origin;
};

/// The path that an environment variable holds; empty when it is not set.
WEFT_COLD inline std::filesystem::path environment_path(const char* variable) {
    const char* value = std::getenv(variable);
    return value == nullptr ? "" : value;
}

WEFT_COLD inline std::vector<DataPlace> fashion_mnist_places() {
    std::vector<DataPlace> places;
    if (const auto data = environment_path("WEFT_DATA"); !data.empty()) {
        places.push_back({data / "fashion-mnist", "WEFT_DATA"});
        places.push_back({data, "WEFT_DATA"});
    }
    places.push_back({"/usr/share/datasets/fashion-mnist", "package dataset-fashion-mnist"});
    // The XDG Base Directory Specification says to ignore a relative path here.
    if (const auto cache = environment_path("XDG_CACHE_HOME"); cache.is_absolute()) {
        places.push_back({cache / "weft" / "fashion-mnist", "cache"});
    } else if (const auto home = environment_path("HOME"); !home.empty()) {
        places.push_back({home / ".cache" / "weft" / "fashion-mnist", "cache"});
    }
    return places;
}

/// The file of images ("train-images", "idx3-ubyte") or labels in that directory, under any of its
/// names; empty when there is none.
WEFT_COLD inline std::filesystem::path find_idx(const std::filesystem::path& directory,
                                                std::string_view name, std::string_view suffix) {
    for (const char* joint : {"-", "."}) {
        for (const char* extension : {"", ".gz"}) {
            std::filesystem::path file = directory / concat(name, joint, suffix, extension);
            // What we may not look at counts as found, so that reading it tells why.
            std::error_code ignored;
            const auto type = std::filesystem::status(file, ignored).type();
            if (type != std::filesystem::file_type::not_found) return file;
        }
    }
    return {};
}

/// Images (N, H, W) and labels (N), checked against each other.
using LabelledImages = std::pair<Tensor<std::uint8_t>, Tensor<std::uint8_t>>;

WEFT_COLD inline LabelledImages read_labelled_images(const std::filesystem::path& images_file,
                                                     const std::filesystem::path& labels_file) {
    LabelledImages result{read_idx_any<std::uint8_t>(images_file),
                          read_idx_any<std::uint8_t>(labels_file)};
    const auto& [images, labels] = result;
    if (images.shape().rank() != 3 || images.size() == 0) {
        throw IoError(concat(images_file.string(), ": has shape ", images.shape(),
                             ", expected images (N, H, W), at least one"));
    }
    if (labels.shape().rank() != 1) {
        throw IoError(
            concat(labels_file.string(), ": has shape ", labels.shape(), ", expected labels (N,)"));
    }
    if (labels.size() != images.shape()[0]) {
        throw IoError(concat(labels_file.string(), ": holds ", labels.size(),
                             labels.size() > images.shape()[0] ? ", more labels than the "
                                                               : ", fewer labels than the ",
                             images.shape()[0], " images of ", images_file.string()));
    }
    const auto wrong = std::ranges::find_if(
        labels, [](std::uint8_t label) { return label >= fashion_mnist_classes.size(); });
    if (wrong != labels.end()) {
        throw IoError(concat(labels_file.string(), ": label ", wrong - labels.begin(), " is ",
                             *wrong, ", expected 0 to ", fashion_mnist_classes.size() - 1));
    }
    return result;
}

/// What the directory holds; nothing when it has none of the four files.
WEFT_COLD inline std::optional<FashionMnist> load_fashion_mnist_from(
    const std::filesystem::path& directory) {
    using Name = std::pair<std::string_view, std::string_view>;
    constexpr std::array<Name, 4> names{{{"train-images", "idx3-ubyte"},
                                         {"train-labels", "idx1-ubyte"},
                                         {"t10k-images", "idx3-ubyte"},
                                         {"t10k-labels", "idx1-ubyte"}}};
    std::array<std::filesystem::path, 4> files;
    const Name *present = nullptr, *absent = nullptr;
    for (std::size_t i = 0; i < files.size(); ++i) {
        files[i] = find_idx(directory, names[i].first, names[i].second);
        (files[i].empty() ? absent : present) = &names[i];
    }
    if (present == nullptr) return std::nullopt;
    if (absent != nullptr) {
        throw IoError(concat(directory.string(), ": holds ", present->first, ", but no ",
                             absent->first, "-", absent->second, ", plain or .gz"));
    }

    auto [train_images, train_labels] = read_labelled_images(files[0], files[1]);
    auto [test_images, test_labels] = read_labelled_images(files[2], files[3]);
    if (test_images.shape().sample() != train_images.shape().sample()) {
        throw IoError(concat(files[2].string(), ": holds images of shape ",
                             test_images.shape().sample(), ", expected ",
                             train_images.shape().sample(), " as in ", files[0].string()));
    }
    return FashionMnist{std::move(train_images), std::move(train_labels), std::move(test_images),
                        std::move(test_labels)};
}

}  // namespace detail

inline FashionMnist load_fashion_mnist(const std::filesystem::path& directory) {
    const auto places = directory.empty()
                            ? detail::fashion_mnist_places()
                            : std::vector<detail::DataPlace>{{directory, "the directory given"}};
    std::string looked_in;
    for (const auto& [place, origin] : places) {
        if (auto found = detail::load_fashion_mnist_from(place)) return *std::move(found);
        std::error_code ignored;
        const bool is_directory = std::filesystem::is_directory(place, ignored);
        looked_in += concat("\n  ", place.string(), " (", origin,
                            "): ", is_directory ? "none of its files" : "no such directory");
    }
    throw IoError(
        concat("Fashion-MNIST not found. Looked for train-images-idx3-ubyte and the other three "
               "files, plain or .gz, in",
               looked_in,
               "\nTo get it: `apt-get install dataset-fashion-mnist` on Debian or Ubuntu; or "
               "`bash examples/fashion_mnist/run.sh`, which downloads it; or set WEFT_DATA to a "
               "directory that holds it."));
}

}  // namespace weft
