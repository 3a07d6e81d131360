// Finds and reads Fashion-MNIST.
#include "weft/data/fashion_mnist.hpp"
#include "weft/core/file_name.hpp"

#include "weft/data/detail/fashion_mnist_places.hpp"
#include "weft/data/gzip.hpp"

#include <filesystem>
#include <optional>
#include <utility>

namespace weft {

namespace {

/// The file of images ("train-images", "idx3-ubyte") or labels in a directory, under any of its
/// names; empty if there is none.
std::filesystem::path find_idx(const std::filesystem::path& directory, std::string_view name,
                               std::string_view suffix) {
    for (const char* joint : {"-", "."}) {
        for (const char* extension : {"", ".gz"}) {
            std::filesystem::path file = directory / concat(name, joint, suffix, extension);
            // A file that cannot be accessed counts as found: reading it says why.
            std::error_code ignored;
            const auto type = std::filesystem::status(file, ignored).type();
            if (type != std::filesystem::file_type::not_found) return file;
        }
    }
    return {};
}

/// Images (N, H, W) and labels (N), checked against each other.
using LabelledImages = std::pair<Tensor<std::uint8_t>, Tensor<std::uint8_t>>;

LabelledImages read_labelled_images(const std::filesystem::path& images_file,
                                    const std::filesystem::path& labels_file) {
    LabelledImages result{read_idx_any<std::uint8_t>(images_file),
                          read_idx_any<std::uint8_t>(labels_file)};
    const auto& [images, labels] = result;
    if (images.shape().rank() != 3 || images.size() == 0) {
        throw IoError(concat(FileName(images_file).string(), ": has shape ", images.shape(),
                             ", expected images (N, H, W), at least one"));
    }
    if (labels.shape().rank() != 1) {
        throw IoError(concat(FileName(labels_file).string(), ": has shape ", labels.shape(),
                             ", expected labels (N,)"));
    }
    if (labels.size() != images.shape()[0]) {
        throw IoError(concat(FileName(labels_file).string(), ": holds ", labels.size(),
                             labels.size() > images.shape()[0] ? ", more labels than the "
                                                               : ", fewer labels than the ",
                             images.shape()[0], " images of ", FileName(images_file).string()));
    }
    const auto wrong = std::ranges::find_if(
        labels, [](std::uint8_t label) { return label >= fashion_mnist_classes.size(); });
    if (wrong != labels.end()) {
        throw IoError(concat(FileName(labels_file).string(), ": label ", wrong - labels.begin(),
                             " is ", *wrong, ", expected 0 to ", fashion_mnist_classes.size() - 1));
    }
    return result;
}

/// The data in the directory; none if it has none of the four files.
std::optional<FashionMnist> load_fashion_mnist_from(const std::filesystem::path& directory) {
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
        throw IoError(concat(FileName(directory).string(), ": holds ", present->first, ", but no ",
                             absent->first, "-", absent->second, ", plain or .gz"));
    }

    auto [train_images, train_labels] = read_labelled_images(files[0], files[1]);
    auto [test_images, test_labels] = read_labelled_images(files[2], files[3]);
    if (test_images.shape().sample() != train_images.shape().sample()) {
        throw IoError(concat(
            FileName(files[2]).string(), ": holds images of shape ", test_images.shape().sample(),
            ", expected ", train_images.shape().sample(), " as in ", FileName(files[0]).string()));
    }
    return FashionMnist{std::move(train_images), std::move(train_labels), std::move(test_images),
                        std::move(test_labels)};
}

}  // namespace

FashionMnist load_fashion_mnist(const FileName& directory) {
    const detail::NativeName name = directory.native();
    const std::filesystem::path given =
        name.wide ? std::filesystem::path(name.wide) : std::filesystem::path(name.text);
    std::vector<detail::DataPlace> places;
    if (given.empty()) {
        places = detail::fashion_mnist_places();
    } else {
        places.push_back({given, "the directory given"});
    }
    std::string looked_in;
    for (const auto& [place, origin] : places) {
        if (auto found = load_fashion_mnist_from(place)) return *std::move(found);
        std::error_code ignored;
        const bool is_directory = std::filesystem::is_directory(place, ignored);
        looked_in += concat("\n  ", FileName(place).string(), " (", origin,
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
