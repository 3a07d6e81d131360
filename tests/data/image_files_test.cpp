#include "weft/data/image_files.hpp"

#include "tests/support/io_error.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

void touch(const TemporaryFolder& folder, const std::string& name) {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    folder.file(name, "");
}

std::vector<std::string> names(const ImageFiles& files) {
    std::vector<std::string> result;
    for (const auto& path : files.paths) {
        result.push_back((path.parent_path().filename() / path.filename()).generic_string());
    }
    return result;
}

std::vector<int> labels_of(const ImageFiles& files) {
    return {files.labels.begin(), files.labels.end()};
}

}  // namespace

TEST_CASE("a folder a class, folders and files in the order of their names") {
    const TemporaryFolder folder;
    for (const char* name : {"rose/2.png", "rose/10.PNG", "daisy/b.jpeg", "daisy/a.jpg",
                             "daisy/notes.txt", "daisy/.a.png", ".git/x.png", "readme.png"}) {
        touch(folder, name);
    }
    const ImageFiles files = list_image_folder(folder.path());
    CHECK(files.classes == std::vector<std::string>{"daisy", "rose"});
    CHECK(names(files) ==
          std::vector<std::string>{"daisy/a.jpg", "daisy/b.jpeg", "rose/10.PNG", "rose/2.png"});
    CHECK(labels_of(files) == std::vector<int>{0, 0, 1, 1});
}

TEST_CASE("folders without pictures, and no folders, are refused by name") {
    const TemporaryFolder folder;
    const auto list = [&] { list_image_folder(folder.path()); };
    CHECK(io_error(list) ==
          folder.path().string() + ": holds no folders, expected one for each class");
    std::filesystem::create_directory(folder.path() / "rose");
    CHECK(io_error(list) == (folder / "rose") + ": holds no .png, .jpg or .jpeg file");
    CHECK(io_error([&] {
              list_image_folder(folder.path() / "none");
          }).starts_with((folder / "none") + ": cannot be listed: "));
}

TEST_CASE("pictures that a CSV file lists, in its order") {
    const TemporaryFolder folder;
    for (const char* name : {"0.png", "1.png", "10.jpg"}) touch(folder, name);
    const auto csv = folder.file("train.csv", "id,label\n10.jpg,2\n0,9\n1,2\n");
    const ImageFiles files = list_images(folder.path(), csv);
    CHECK(files.paths == std::vector<std::filesystem::path>{folder / "10.jpg", folder / "0.png",
                                                            folder / "1.png"});
    CHECK(labels_of(files) == std::vector<int>{2, 9, 2});
    CHECK(files.classes.empty());

    const auto named = folder.file("named.csv", "class,x,file\nrose,,0\ndaisy,,1\nrose,,10.jpg\n");
    const ImageFiles flowers =
        list_images(folder.path(), named, {.id_column = "file", .class_column = "class"});
    CHECK(flowers.classes == std::vector<std::string>{"daisy", "rose"});
    CHECK(labels_of(flowers) == std::vector<int>{1, 0, 1});

    const auto test = folder.file("test.csv", "id;label\n0;rose\n");
    const ImageFiles roses =
        list_images(folder.path(), test, {.separator = ';', .classes = flowers.classes});
    CHECK(roses.classes == flowers.classes);
    CHECK(labels_of(roses) == std::vector<int>{1});
}

TEST_CASE("what is wrong with a list is named with its line") {
    const TemporaryFolder folder;
    touch(folder, "0.png");
    const auto complain = [&](const std::string& text) {
        const std::string path = folder.file("list.csv", text).string() + ": ";
        const std::string message =
            io_error([&] { list_images(folder.path(), folder.path() / "list.csv"); });
        CHECK(message.starts_with(path));
        return message.substr(path.size());
    };
    CHECK(complain("") == "the file is empty");
    CHECK(complain("id,label\n") == "line 1: no samples follow the header");
    CHECK(complain("id,class\n0,1\n") == "has 0 columns \"label\", expected one");
    CHECK(complain("id,label\n0,1\n7,1\n") ==
          "line 3: names " + (folder / "7.png") + ", which is not a file");
    CHECK(complain("id,label\n../0,1\n") ==
          "line 2: column \"id\" is \"../0\", expected a file's name");
    CHECK(complain("id,label\n,1\n").starts_with("line 2: column \"id\" is \"\""));
    CHECK(complain("id,label\n0,\n") == "line 2: column \"label\" is empty");
    CHECK(complain("id,label\n0,1\n0,rose\n") ==
          "line 3: column \"label\" is \"rose\", expected an integer from 0 to 2147483647");
    CHECK(complain("id,label\n0,rose\n0,1\n").starts_with("line 3: column \"label\" is \"1\""));
    CHECK(complain("id;label\n0;1\n") ==
          "has 0 columns \"id\", expected one; the first line has 1 ';' and no ',': try .separator "
          "= ';'");
    CHECK(complain("id,label\n0,1,2\n") == "line 2: has 3 fields, expected 2");
}
