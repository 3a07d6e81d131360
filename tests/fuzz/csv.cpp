// CSV files of bytes, of floating-point numbers, of names and of pictures' names.
#include "tests/fuzz/fuzz.hpp"

#include "weft/data/csv.hpp"
#include "weft/data/image_files.hpp"

namespace weft::fuzz {

void read(const std::filesystem::path& path, Bytes) {
    try_to([&] { read_csv<std::uint8_t>(path); });
    try_to([&] { read_csv<float>(path, {.label_column = "", .header = false}); });
    try_to(
        [&] { read_csv<double>(path, {.label_column = "1", .header = false, .separator = ';'}); });
    try_to([&] {
        read_csv<float>(path, {.label_column = "0",
                               .header = false,
                               .separator = '\t',
                               .missing_value = std::numeric_limits<double>::quiet_NaN()});
    });
    try_to([&] {
        read_csv<std::uint8_t>(
            path,
            {.classes = {"bag", "shirt", "7"}, .missing_marks = {"", "-999"}, .missing_value = 0});
    });
    try_to([&] { list_images("/", path); });
    try_to([&] { read_csv<float>(path, {.separator = ';', .decimal_point = ','}); });
    try_to([&] { list_images("/", path, {.separator = ';', .classes = {"shirt", "bag"}}); });
}

/// An empty field is a character in the file and a string in memory.
std::size_t memory_limit(Bytes bytes) { return (std::size_t{64} << 10) + 160 * bytes.size(); }

void write_seeds(const std::filesystem::path& folder) {
    write_seed(folder / "pixels", "label,pixel1,pixel2\n3,0,255\n0,2.55e2,7.0\n");
    write_seed(folder / "quotes",
               "\xEF\xBB\xBF\"label\", \"a \"\"b\"\"\" ,c\r\n\r\n 1,\"2\", 3\r\n");
    write_seed(folder / "numbers", "1.5,-2e-3,1e38\n0.1,12345678901234567890,-0\n");
    write_seed(folder / "semicolons", "0.5;1;2\n1.5;0;-3e300\n");
    write_seed(folder / "names", "shirt\t1\t\t-2\nbag\tNA\t+1e-60\t3\n");
    write_seed(folder / "listed_names", "label,a,\nbag,-999,\n7,200,\nshirt,,\n");
    write_seed(folder / "commas", "label;a;b\n1;0,5;-1,25e1\n0;3;+,5\n");
    write_seed(folder / "images", "id,label\ndev/null,shirt\ndev/zero.png,bag\n");
    write_seed(folder / "numbered_images", "id,label\ndev/null,4\n17,0\n");
}

}  // namespace weft::fuzz
