/// \file
/// Lists of picture files with their classes, from a folder per class or from a CSV file.
#pragma once

#include "weft/core/file_name.hpp"
#include "weft/data/detail/class_labels.hpp"

#include <filesystem>
#include <tuple>

namespace weft {

/// Files of pictures, and the class of each.
struct ImageFiles {
    std::vector<std::filesystem::path> paths;  ///< one for each sample
    Tensor<std::int32_t> labels;               ///< (N)
    std::vector<std::string> classes;  ///< class i is classes[i]; none where classes are numbers
};

/// The .png, .jpg and .jpeg files in the folders of a directory, one folder per class. Classes are
/// in alphabetical order (of bytes) of the folders' names, and so are the files of a class. Other
/// files, and names that start with a dot, are skipped.
///
///   flowers/daisy/1.png, flowers/daisy/2.jpg, flowers/rose/1.png   ->   classes {"daisy", "rose"}
///
/// Samples are sorted by class: hold some back by stratified_split and subset, not by
/// validation_split. Throws IoError when the directory does not exist or has no folders, and for a
/// folder without pictures.
inline ImageFiles list_image_folder(const std::filesystem::path& directory);

/// How list_images reads its CSV file.
struct ImageListOptions {
    std::string id_column = "id";        ///< 17 or 17.png for 17.png
    std::string class_column = "label";  ///< integers of at least 0, or names
    std::string extension = ".png";      ///< appended to ids without one
    char separator = ',';                ///< between two fields
    /// The names of the classes by index; for a test set, those of the training set. If empty,
    /// names are numbered in alphabetical order (of bytes).
    std::vector<std::string> classes = {};
};

/// The pictures of a directory that a CSV file with a header lists with their classes, in the
/// file's order. Throws IoError, which names file and line, when a column, a picture or a class is
/// missing, and when a class is not of the first one's kind: an integer of at least 0, or a name.
inline ImageFiles list_images(const std::filesystem::path& directory,
                              const std::filesystem::path& csv,
                              const ImageListOptions& options = {});

namespace detail {

/// The entries of a directory whose names do not start with a dot, sorted by name.
WEFT_COLD inline std::vector<std::filesystem::path> sorted_entries(
    const std::filesystem::path& directory) {
    std::error_code error;
    std::vector<std::filesystem::path> entries;
    std::filesystem::directory_iterator entry(directory, error), end;
    for (; !error && entry != end; entry.increment(error)) {
        if (entry->path().filename().native()[0] != '.') entries.push_back(entry->path());
    }
    if (error) {
        throw IoError(
            concat(FileName(directory).string(), ": cannot be listed: ", error.message()));
    }
    std::ranges::sort(entries);
    return entries;
}

WEFT_COLD inline bool has_image_extension(const std::filesystem::path& path) {
    std::string extension = FileName(path.extension()).string();
    for (char& c : extension) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

/// Throws IoError when it cannot be told: passed over, a folder would change the classes.
WEFT_COLD inline bool is_directory(const std::filesystem::path& path) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (status.type() != std::filesystem::file_type::none) {
        return std::filesystem::is_directory(status);
    }
    throw IoError(concat(FileName(path).string(), ": cannot be accessed: ", error.message()));
}

}  // namespace detail

inline ImageFiles list_image_folder(const std::filesystem::path& directory) {
    ImageFiles files;
    std::vector<std::int32_t> labels;
    for (const auto& folder : detail::sorted_entries(directory)) {
        if (!detail::is_directory(folder)) continue;
        const std::size_t before = files.paths.size();
        for (const auto& path : detail::sorted_entries(folder)) {
            if (!detail::has_image_extension(path) || detail::is_directory(path)) continue;
            files.paths.push_back(path);
            labels.push_back(static_cast<std::int32_t>(files.classes.size()));
        }
        if (files.paths.size() == before) {
            throw IoError(concat(FileName(folder).string(), ": holds no .png, .jpg or .jpeg file"));
        }
        files.classes.push_back(FileName(folder.filename()).string());
    }
    if (files.paths.empty()) {
        throw IoError(concat(FileName(directory).string(),
                             ": holds no folders, expected one for each class"));
    }
    files.labels = Tensor<std::int32_t>(
        TensorView<const std::int32_t>(labels, Shape{static_cast<Index>(labels.size())}));
    return files;
}

inline ImageFiles list_images(const std::filesystem::path& directory,
                              const std::filesystem::path& csv, const ImageListOptions& options) {
    detail::ClassLabels labels("list_images", options.classes);
    detail::CsvReader reader(csv, options.separator);
    if (!reader.next()) reader.fail("the file is empty");
    const std::vector<std::string> columns = reader.fields();
    const std::size_t id = detail::csv_column(reader, columns, options.id_column);
    const std::size_t label = detail::csv_column(reader, columns, options.class_column);
    ImageFiles files;
    while (reader.next()) {
        reader.require_fields(columns.size());
        // UTF-8, as in the file: a path of char would be read by Windows' code page.
        const std::string& field = reader.fields()[id];
        std::filesystem::path name(std::u8string(field.begin(), field.end()));
        if (name.empty() || name.has_parent_path()) {
            reader.fail(concat("column \"", options.id_column, "\" is ",
                               detail::quoted_excerpt(FileName(name).string()),
                               ", expected a file's name"));
        }
        if (!detail::has_image_extension(name)) name += options.extension;
        std::filesystem::path path = directory / name;
        std::error_code ignored;
        if (!std::filesystem::is_regular_file(path, ignored)) {
            reader.fail(concat("names ", FileName(path).string(), ", which is not a file"));
        }
        if (reader.fields()[label].empty()) {
            reader.fail(concat("column \"", options.class_column, "\" is empty"));
        }
        files.paths.push_back(std::move(path));
        labels.add(reader, label, options.class_column);
    }
    if (files.paths.empty()) reader.fail("no samples follow the header");
    std::tie(files.labels, files.classes) = labels.take();
    return files;
}

}  // namespace weft
