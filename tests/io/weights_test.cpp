#include "weft/io/weights.hpp"

#include "tests/io/safetensors_bytes.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/io_error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <csignal>
#include <thread>

using namespace weft;
namespace fs = std::filesystem;

namespace {

template <class Scalar = float>
Sequential<Scalar> small_model(Index units = 2) {
    return Sequential<Scalar>{Input{{4, 4, 1}}, Conv2D{.filters = 3, .kernel_size = 2}, BatchNorm{},
                              Flatten{}, Dense{.units = units}};
}

/// The message of the IoError that loading the file into the model throws; the model must stay as
/// it was.
std::string refusal(Sequential<float>& model, const fs::path& path) {
    const Tensor<float> before(std::as_const(model).arena());
    std::string message = "nothing was thrown";
    try {
        load_weights(model, path);
    } catch (const IoError& error) {
        message = error.what();
    }
    CHECK(identical(Tensor<float>(std::as_const(model).arena()), before));
    const auto name = path.string() + ": ";
    return message.starts_with(name) ? message.substr(name.size()) : message;
}

template <class Scalar>
void check_round_trip() {
    const TemporaryFolder folder;
    Sequential<Scalar> model = small_model<Scalar>(), other = small_model<Scalar>();
    for (Index i = 0; const ParameterInfo& parameter : model.parameters()) {
        for (Scalar& value : model.view(parameter.slot)) {
            value = static_cast<Scalar>(++i) / static_cast<Scalar>(7);
        }
    }
    model.parameter("batch_norm/moving_mean")[1] = std::numeric_limits<Scalar>::quiet_NaN();
    model.parameter("dense/kernel")[3] = -std::numeric_limits<Scalar>::infinity();
    const fs::path path = folder.path() / "w.safetensors";
    save_weights(model, path);
    load_weights(other, path, {.allow_non_finite = true});
    CHECK(std::memcmp(model.arena().data(), other.arena().data(),
                      static_cast<std::size_t>(model.arena().size()) * sizeof(Scalar)) == 0);
}

}  // namespace

TEST_CASE("weights come back bit for bit, also what is not trained, NaN and infinity") {
    check_round_trip<float>();
    check_round_trip<double>();
}

TEST_CASE("weights that are not finite are refused by name, unless told otherwise") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "w";
    Sequential<float> bad = small_model(5), model = small_model(5);
    bad.parameter("dense/kernel")[3] = std::numeric_limits<float>::infinity();
    save_weights(bad, path);
    CHECK(refusal(model, path) ==
          "dense/kernel holds a NaN or an infinity; load_weights(model, path, {.allow_non_finite = "
          "true}) takes it");
    bad.parameter("dense/kernel")[3] = 0;
    bad.parameter("batch_norm/moving_variance")[0] = std::numeric_limits<float>::quiet_NaN();
    save_weights(bad, path);
    const std::string refused = "batch_norm/moving_variance holds a NaN or an infinity; load_";
    CHECK(refusal(model, path).starts_with(refused + "weights("));
    // Of those that fit; one of the model's own that the file does not have is its own affair.
    const auto matching_error = [&](Sequential<float>& to) {
        const Tensor<float> before(std::as_const(to).arena());
        const std::string message = io_error(path, [&] { load_matching_weights(to, path); });
        CHECK(identical(Tensor<float>(std::as_const(to).arena()), before));
        return message;
    };
    CHECK(matching_error(model).starts_with(refused + "matching_weights("));
    CHECK(load_matching_weights(model, path, {.allow_non_finite = true}).is_complete());
    Sequential<float> dense{Input{{27}}, Dense{5}, Dense{.units = 1, .name = "last"}};
    dense.parameter("last/bias")[0] = std::numeric_limits<float>::quiet_NaN();
    CHECK(load_matching_weights(dense, path).loaded ==
          std::vector<std::string>{"dense/kernel", "dense/bias"});
}

TEST_CASE("a file of another program given as weights is named as what it is") {
    const TemporaryFolder folder;
    Sequential<float> model = small_model();
    const auto of = [&](std::string start) {
        start.resize(500, '\x01');
        return refusal(model, folder.file("w", start));
    };
    const std::string expected = ", expected a safetensors file";
    using namespace std::string_literals;
    CHECK(of("\x89HDF\r\n\x1a\n\0\0\0"s) == "is an HDF5 file (.h5)" + expected);
    CHECK(of(concat("PK\x03\x04", std::string(22, '\0'), "\x09\0\0\0"s, "arr_0.npy")) ==
          "is a NumPy archive (.npz)" + expected);
    CHECK(of("\x80\x02}q\0"s) == "is a Python pickle" + expected);
    CHECK(of("\x1f\x8b\x08\0"s) == "is compressed by gzip" + expected);
    CHECK(of("\x08\x07\x12\x07pytorch"s) == "is an ONNX model (.onnx)" + expected);
    // A header of any size that begins as one is read as such.
    CHECK(of("\x08\x07\0\0\0\0\0\0{"s) == "declares a header of 1800 bytes, but holds 500");
    const std::string padded =
        R"({"dense/kernel":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
    for (const std::size_t size : {0x108U, 0x1208U}) {
        std::string json = padded;
        json.resize(size, ' ');
        CHECK(refusal(model, folder.file("w", safetensors(json, "1234")))
                  .starts_with("dense/kernel has"));
    }
}

TEST_CASE("weights are a safetensors file: names, types, shapes and numbers where it says") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "w.safetensors";
    Sequential<float> model{Input{{2}}, Dense{3}};
    for (Index i = 0; i < 6; ++i) model.parameter("dense/kernel")[i] = static_cast<float>(i) + 0.5f;
    save_weights(model, path);
    const std::string bytes = contents_of(path);
    const std::size_t header_size = header_size_of(bytes);
    CHECK(header_size % 8 == 0);
    const auto json = nlohmann::json::parse(bytes.substr(8, header_size));
    CHECK(json.at("dense/kernel") == nlohmann::json::parse(R"(
        {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]})"));
    CHECK(json.at("dense/bias") == nlohmann::json::parse(R"(
        {"dtype": "F32", "shape": [3], "data_offsets": [24, 36]})"));
    REQUIRE(bytes.size() == 8 + header_size + 36);
    float number = 0;
    std::memcpy(&number, bytes.data() + 8 + header_size + 4 * 4, sizeof number);
    CHECK(number == 4.5f);
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);  // no .part
}

TEST_CASE("weights of another model are refused by name, and nothing is changed") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "w.safetensors";
    Sequential<float> model = small_model(2);
    save_weights(small_model(5), path);
    CHECK(refusal(model, path) ==
          "dense/kernel has shape (27, 5), expected (27, 2); dense/bias has shape (5,), "
          "expected (2,)");
    save_weights(small_model<double>(), path);
    CHECK(refusal(model, path).starts_with("conv2d/kernel is of type F64, expected F32; "));
    save_weights(Sequential<float>{Input{{3}}, Dense{.units = 1, .use_bias = false, .name = "a"}},
                 path);
    Sequential<float> wide{Input{{3}}, Dense{.units = 1, .name = "a"}};
    CHECK(refusal(wide, path) == "has no a/bias");
    save_weights(wide, path);
    Sequential<float> narrow{Input{{3}}, Dense{.units = 1, .use_bias = false, .name = "a"}};
    CHECK(refusal(narrow, path) == "holds a/bias, which the model does not have");
}

TEST_CASE("what fits of another model's weights is loaded, and the rest reported") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "w.safetensors";
    save_weights(small_model(5), path);
    Sequential<float> model{Input{{4, 4, 1}},
                            Conv2D{.filters = 3, .kernel_size = 2, .activation = relu}, Flatten{},
                            Dense{5}, Dense{2}};
    const Tensor<float> dense(std::as_const(model).parameter("dense_1/kernel"));
    std::ranges::fill(model.parameter("conv2d/kernel"), 7.0f);
    const WeightsReport report = load_matching_weights(model, path);
    using Names = std::vector<std::string>;
    CHECK(report.loaded == Names{"conv2d/kernel", "conv2d/bias", "dense/kernel", "dense/bias"});
    CHECK(report.missing == Names{"dense_1/kernel", "dense_1/bias"});
    CHECK(report.unused.size() == 4);
    CHECK(report.mismatched.empty());
    CHECK_FALSE(report.is_complete());
    CHECK(identical(std::as_const(model).parameter("conv2d/kernel"),
                    small_model(5).parameter("conv2d/kernel")));
    CHECK(identical(std::as_const(model).parameter("dense_1/kernel"), dense));

    Sequential<float> twin = small_model(2);
    const WeightsReport shapes = load_matching_weights(twin, path);
    CHECK(shapes.to_string() ==
          "dense/kernel has shape (27, 5), expected (27, 2); dense/bias has shape (5,), expected "
          "(2,)");
    CHECK(load_matching_weights(twin = small_model(5), path).is_complete());
    CHECK_THROWS_AS(load_matching_weights(twin, folder.path() / "none"), IoError);
}

TEST_CASE("a missing, short or corrupt file of weights is refused by name") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "w.safetensors";
    Sequential<float> model{Input{{2}}, Dense{.units = 1, .use_bias = false}};
    CHECK(refusal(model, folder.path() / "none") == "no such file");
    CHECK(refusal(model, folder.path()) == "is not a regular file");
    fs::create_symlink("loop", folder.path() / "loop");
    CHECK(refusal(model, folder.path() / "loop") ==
          "cannot be accessed: Too many levels of symbolic links");

    const auto of = [&](const std::string& bytes) {
        folder.file("w.safetensors", bytes);
        return refusal(model, path);
    };
    save_weights(model, path);
    const std::string whole = contents_of(path);
    // Cut anywhere, it is refused.
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK(of(whole.substr(0, size)) != "nothing was thrown");
    }
    CHECK(of(whole + '\0') == "holds 9 bytes of numbers, expected 8");
    CHECK(of("short") == "holds 5 bytes, expected the header of a safetensors file");
    CHECK(of(std::string(8, '\xff') + "{}") ==
          "declares a header of 18446744073709551615 bytes, but holds 10");
    CHECK(of(safetensors("{", "")) == "its header is not JSON: error at character 2");
    CHECK(of(safetensors("{} {}", "")).starts_with("its header is not JSON: error at character "));
    CHECK(of(safetensors("[]", "")) == "its header is not a JSON object");
    const std::string no_place = "tensor a has no type, shape or place";
    CHECK(of(safetensors(R"({"a": 1})", "")) == no_place);
    CHECK(of(safetensors(R"({"a": {"dtype": 1, "shape": [1], "data_offsets": [0, 4]}})", "1234")) ==
          no_place);
}

TEST_CASE("a file of weights whose places or shapes do not hold is refused by name") {
    const TemporaryFolder folder;
    Sequential<float> model{Input{{2}}, Dense{.units = 1, .use_bias = false}};
    const auto tensor = [&](const std::string& shape, const std::string& offsets,
                            const std::string& data = "12345678") {
        const std::string json = R"({"dense/kernel": {"dtype": "F32", "shape": )" + shape +
                                 R"(, "data_offsets": )" + offsets + "}}";
        return refusal(model, folder.file("w.safetensors", safetensors(json, data)));
    };
    load_weights(model, folder.file("w", safetensors(R"({"dense/kernel": {"dtype": "F32",
        "shape": [2, 1], "data_offsets": [0, 8]}})",
                                                     "12345678")));  // what is right, is read
    const std::string outside = "tensor dense/kernel lies outside the file's 8 bytes of numbers";
    for (const char* offsets :
         {"[0, 9]", "[8, 0]", "[-8, 0]", "[0, 8.5]", "[0, 1e300]", "[0, 18446744073709551615]"}) {
        CAPTURE(offsets);
        CHECK(tensor("[2, 1]", offsets) == outside);
    }
    CHECK(tensor("[2, 1]", "[0, 8, 8]") == "tensor dense/kernel has no type, shape or place");
    CHECK(tensor("[1,1,1,1,1,1,1,1,2]", "[0, 8]") ==
          "tensor dense/kernel has no type, shape or place");
    CHECK(tensor("[2, -1]", "[0, 8]") ==
          "tensor dense/kernel has an extent that is not a whole number of at least 0");
    CHECK(tensor("[4611686018427387904, 4]", "[0, 8]") ==
          "tensor dense/kernel: shape (4611686018427387904, 4) has too many elements");
    CHECK(tensor("[18446744073709551615]", "[0, 8]") ==
          "tensor dense/kernel has an extent that is not a whole number of at least 0");
    CHECK(tensor("[2, 1]", "[4, 8]") ==
          "tensor dense/kernel does not start where the one before it ends");
    CHECK(tensor("[2, 1]", "[0, 4]") == "holds 8 bytes of numbers, expected 4");
    CHECK(tensor("[2, 1]", "[0, 4]", "1234") ==
          "dense/kernel takes 4 bytes, too few or many for shape (2, 1)");
}

TEST_CASE("tensors of a file that overlap or leave gaps are refused, by the tensor's name") {
    const TemporaryFolder folder;
    Sequential<float> model{Input{{2}}, Dense{.units = 1, .use_bias = false}};
    struct Place {
        const char* name;
        int floats, begin, end;
    };
    const auto of = [&](const std::vector<Place>& places, std::size_t bytes) {
        std::string json;
        for (const Place& place : places) {
            json += concat(json.empty() ? "{" : ", ", "\"", place.name,
                           R"(": {"dtype": "F32", "shape": [)", place.floats,
                           R"(], "data_offsets": [)", place.begin, ", ", place.end, "]}");
        }
        const auto file = safetensors(json + "}", std::string(bytes, '\0'));
        return refusal(model, folder.file("w.safetensors", file));
    };
    const auto misplaced = [](const std::string& name) {
        return concat("tensor ", name, " does not start where the one before it ends");
    };
    // What follows one another is right, in any order: then it is the model that lacks it.
    CHECK(of({{"b", 2, 4, 12}, {"a", 1, 0, 4}}, 12).find("does not have") != std::string::npos);
    // Overlapping, with as many bytes in all as the file holds.
    CHECK(of({{"a", 2, 0, 8}, {"b", 1, 4, 8}}, 12) == misplaced("b"));
    CHECK(of({{"b", 1, 4, 8}, {"a", 2, 0, 8}}, 12) == misplaced("b"));
    CHECK(of({{"a", 2, 0, 8}, {"b", 2, 0, 8}}, 16) == misplaced("b"));
    CHECK(of({{"a", 1, 0, 4}, {"b", 2, 0, 8}}, 12) == misplaced("b"));
    CHECK(of({{"a", 3, 0, 12}, {"b", 1, 4, 8}, {"c", 1, 8, 12}}, 20) == misplaced("b"));
    // With fewer bytes than the file holds, and more.
    CHECK(of({{"a", 2, 0, 8}, {"b", 1, 4, 8}}, 8) == misplaced("b"));
    CHECK(of({{"a", 2, 0, 8}, {"b", 1, 4, 8}}, 16) == misplaced("b"));
    // A gap in front, in the middle, behind; and one that an overlap makes up for.
    CHECK(of({{"a", 1, 4, 8}}, 8) == misplaced("a"));
    CHECK(of({{"a", 1, 0, 4}, {"b", 1, 8, 12}}, 12) == misplaced("b"));
    CHECK(of({{"a", 1, 0, 4}}, 8) == "holds 8 bytes of numbers, expected 4");
    CHECK(of({{"a", 1, 0, 4}, {"b", 1, 8, 12}, {"c", 1, 8, 12}}, 12) == misplaced("b"));
    // An empty tensor inside of another.
    CHECK(of({{"a", 2, 0, 8}, {"b", 0, 4, 4}}, 8) == misplaced("b"));
}

TEST_CASE("a tensor's fields of another type than the format's are refused by the tensor's name") {
    const TemporaryFolder folder;
    Sequential<float> model{Input{{2}}, Dense{.units = 1, .use_bias = false}};
    const auto of = [&](const std::string& fields) {
        const auto file = safetensors(R"({"a": {)" + fields + "}}", "12345678");
        return refusal(model, folder.file("w.safetensors", file));
    };
    for (const char* fields :
         {R"("shape": [2], "data_offsets": [0, 8])", R"("dtype": "F32", "data_offsets": [0, 8])",
          R"("dtype": "F32", "shape": [2])", R"("dtype": 32, "shape": [2], "data_offsets": [0, 8])",
          R"("dtype": "F32", "shape": 2, "data_offsets": [0, 8])",
          R"("dtype": "F32", "shape": {"0": 2}, "data_offsets": [0, 8])",
          R"("dtype": "F32", "shape": [2], "data_offsets": 8)",
          R"("dtype": "F32", "shape": [2], "data_offsets": {"begin": 0, "end": 8})",
          R"("dtype": "F32", "shape": [2], "data_offsets": [8])"}) {
        CAPTURE(fields);
        CHECK(of(fields) == "tensor a has no type, shape or place");
    }
    for (const char* extent : {"2.0", "true", "null", R"("2")", "[2]", "1e2"}) {
        CAPTURE(extent);
        const auto complaint =
            of(concat(R"("dtype": "F32", "data_offsets": [0, 8], "shape": [)", extent, "]"));
        CHECK(complaint.find("a") != std::string::npos);
        CHECK(complaint.find("extent") + complaint.find("deeper") < 2 * std::string::npos - 2);
    }
}

TEST_CASE("hostile headers of a file of weights are refused, and unusual ones are read") {
    const TemporaryFolder folder;
    Sequential<float> model{Input{{2}}, Dense{.units = 1, .use_bias = false}};
    const auto of = [&](const std::string& json, const std::string& data = "12345678") {
        return refusal(model, folder.file("w.safetensors", safetensors(json, data)));
    };
    const std::string too_deep = "its header cannot be read as JSON: it nests deeper than 3 levels";
    const std::string kernel =
        R"("dense/kernel":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]})";
    CHECK(of("{" + kernel + "," + kernel + "}") ==
          "its header cannot be read as JSON: it has dense/kernel twice");
    CHECK(of(R"({"a":)" + std::string(1'000'000, '[')) == too_deep);
    CHECK(of(R"({"a":{"b":{"c":{"d":1}}}})") == too_deep);
    // An empty tensor takes no place, whatever its name.
    for (const char* name : {"a", "zz"}) {
        CAPTURE(name);
        const std::string empty =
            concat("\"", name, R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})");
        CHECK(of("{" + kernel + "," + empty + "}") ==
              concat("holds ", name, ", which the model does not have"));
    }
    Sequential<float> odd{Input{{2}}, Dense{.units = 1, .name = "d\xff"}};
    CHECK_THROWS_WITH_AS(save_weights(odd, folder.path() / "odd"),
                         "save_weights: a name is not UTF-8 text", ArgumentError);
}

TEST_CASE("weights that cannot be written leave the old file whole") {
    const TemporaryFolder folder;
    Sequential<float> model{Input{{2}}, Dense{1}};
    CHECK_THROWS_WITH_AS(
        save_weights(model, folder.path() / "no" / "w"),
        (folder.path() / "no" / "w: cannot be created: No such file or directory").c_str(),
        IoError);
    CHECK_THROWS_AS(save_weights(Sequential<float>{Dense{1}}, folder.path() / "w"), ArgumentError);
    // Where a folder is in the way, the file cannot be put in place, and nothing is left behind.
    fs::create_directories(folder.path() / "taken" / "by");
    CHECK_THROWS_AS(save_weights(model, folder.path() / "taken"), IoError);
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a disk without room leaves the old file of weights whole") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "w";
    Sequential<float> model{Input{{300}}, Dense{300}};
    const std::string old = "the old file";
    folder.file("w", old);
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    const rlimit small{100'000, limit.rlim_max};
    const auto signal_before = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    std::string message;
    try {
        save_weights(model, path);
    } catch (const IoError& error) {
        message = error.what();
    }
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    std::signal(SIGXFSZ, signal_before);
    CHECK(message.starts_with(path.string() + ": cannot be written in full"));
    CHECK(contents_of(path) == old);
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a file of weights keeps its permissions, its links and its neighbours") {
    const TemporaryFolder folder;
    Sequential<float> model{Input{{2}}, Dense{1}};
    const fs::path real = folder.file("real", std::string("old"));
    folder.file("real.part", std::string("mine"));
    fs::permissions(real, fs::perms::owner_read | fs::perms::owner_write);
    fs::create_symlink("real", folder.path() / "link");
    save_weights(model, folder.path() / "link");
    CHECK(fs::is_symlink(folder.path() / "link"));
    CHECK(fs::status(real).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    load_weights(model, real);
    CHECK(contents_of(folder.path() / "real.part") == "mine");
}

TEST_CASE("several threads that save to one path, and one that loads, see whole files only") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "w";
    const Sequential<float> small{Input{{3}}, Dense{2}}, again = small;
    save_weights(small, path);
    std::atomic<int> failures{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            Sequential<float> mine = small;
            for (int i = 0; i < 30; ++i) {
                try {
                    if (t == 0)
                        load_weights(mine, path);
                    else
                        save_weights(mine, path);
                } catch (const Error&) {
                    ++failures;
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(failures == 0);
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}
