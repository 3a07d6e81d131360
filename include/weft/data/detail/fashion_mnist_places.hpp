/// \file
/// The directories that are searched for Fashion-MNIST.
#pragma once

#include "weft/config.hpp"

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

namespace weft::detail {

/// A directory to search, and the variable or package that names it.
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

}  // namespace weft::detail
