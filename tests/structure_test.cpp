/// \file
/// The laws of the include folder: arrows, preprocessor, guards, sizes.
#include "weft/version.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

using Folders = std::set<std::string>;

/// Which folders of include/weft a folder may include from. What those may include, it may too.
/// Every folder may include itself and the headers beside weft.hpp; weft.hpp may include anything.
const std::map<std::string, Folders> arrows{
    {"core", {}},
    {"kernels", {"core"}},
    {"initializers", {"core"}},
    {"data", {"core"}},
    {"layers", {"kernels", "initializers"}},
    {"losses", {"kernels"}},
    {"optimizers", {"kernels"}},
    {"metrics", {"kernels"}},
    {"model", {"layers"}},
    {"training", {"model", "losses", "optimizers", "metrics", "data"}},
    {"testing", {"layers", "losses"}},
    {"io", {"model", "training"}},
    {"report", {"training", "data"}},
};

/// The folders that can be reached from `folder` along the arrows, itself among them.
Folders reachable(const std::string& folder) {
    Folders found{folder};
    std::vector<std::string> open{folder};
    while (!open.empty()) {
        const std::string next = open.back();
        open.pop_back();
        for (const std::string& target : arrows.at(next)) {
            if (found.insert(target).second) open.push_back(target);
        }
    }
    return found;
}

/// The folders of headers that may be made for one device.
const std::set<std::string> of_a_device{"kernels", "testing", ""};

struct Header {
    std::string path;  ///< relative to include: "weft/layers/dense.hpp"
    std::vector<std::string> lines;

    std::string folder() const { return folder_of(path); }

    /// The folder below weft, "layers"; empty for the headers beside weft.hpp.
    static std::string folder_of(const std::string& path) {
        const auto begin = path.find('/') + 1;
        const auto end = path.find('/', begin);
        return end == std::string::npos ? "" : path.substr(begin, end - begin);
    }

    /// What follows #include: `"weft/core/shape.hpp"`, `<vector>`. Of what a macro names, what it does
    /// without weft::kernels.
    std::vector<std::string> includes() const {
        static const std::regex pattern(R"(^\s*#\s*include\s*(["<][^">]+[">]).*)");
        std::vector<std::string> result;
        std::smatch match;
        for (const std::string& line : lines) {
            if (std::regex_match(line, match, pattern)) result.push_back(match[1]);
            if (line == "#include WEFT_CPU_KERNELS") {
                result.push_back("\"weft/kernels/cpu/kernels.hpp\"");
            }
        }
        return result;
    }

    /// The same for weft's own headers, as paths: `weft/core/shape.hpp`.
    std::vector<std::string> own_includes() const {
        std::vector<std::string> result;
        for (const std::string& include : includes()) {
            if (include.starts_with("\"")) result.push_back(include.substr(1, include.size() - 2));
        }
        return result;
    }

    bool has_line(const std::regex& pattern) const {
        return std::ranges::any_of(
            lines, [&](const std::string& line) { return std::regex_match(line, pattern); });
    }
};

const std::filesystem::path include_root = std::filesystem::path(WEFT_SOURCE_DIR) / "include";

const std::vector<Header>& headers() {
    static const std::vector<Header> all = [] {
        std::vector<Header> result;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(include_root)) {
            const auto extension = entry.path().extension();
            if (extension != ".hpp" && extension != ".cuh") continue;
            Header header{entry.path().lexically_relative(include_root).generic_string(), {}};
            std::ifstream file(entry.path());
            for (std::string line; std::getline(file, line);) header.lines.push_back(line);
            result.push_back(header);
        }
        std::ranges::sort(result, {}, &Header::path);
        return result;
    }();
    return all;
}

/// The headers of weft that `path` includes, by itself or through others.
void collect_includes(const std::string& path, std::set<std::string>& found) {
    const auto header = std::ranges::find(headers(), path, &Header::path);
    if (header == headers().end() || !found.insert(path).second) return;
    for (const std::string& include : header->own_includes()) collect_includes(include, found);
}

/// Headers without a test of their name, by the test that covers them.
const std::map<std::string, std::set<std::string>> tested_elsewhere{
    {"core/cpu", {"config", "core/processor", "kernels/cpu/kernels"}},
    {"cuda_device", {"cuda"}},
    {"data/augmentation",
     {"core/image_change", "data/changed_images", "data/detail/change_image",
      "data/random_brightness", "data/random_erasing", "data/random_flip", "data/random_rotation",
      "data/random_translation", "data/random_zoom"}},
    {"data/cifar10", {"data/detail/record_dataset", "data/detail/scratch"}},
    {"data/csv", {"data/detail/csv_reader", "data/detail/parse_number"}},
    {"data/dataset", {"data/array_dataset", "data/detail/record_parts", "data/examples"}},
    {"data/fashion_mnist", {"data/detail/fashion_mnist_places"}},
    {"data/image",
     {"data/detail/exif", "data/detail/image_file", "data/detail/jpeg", "data/detail/png"}},
    {"data/image_files", {"data/detail/class_labels"}},
    {"io/functional_file", {"io/detail/graph_text", "io/detail/graph_writer"}},
    {"io/model_file",
     {"io/detail/architecture", "io/detail/build", "io/detail/json", "io/detail/json_fields",
      "io/detail/keras_fields", "io/detail/plausible", "io/layer_formats", "io/save_model",
      "layers/layer_fields"}},
    {"io/weights", {"io/detail/safetensors"}},
    {"kernels/compiled/choice",
     {"kernels/compiled/kernels", "kernels/compiled/layers", "kernels/compiled/losses",
      "kernels/compiled/table", "kernels/compiled/training"}},
    {"kernels/cpu/activation", {"kernels/cpu/elementwise", "kernels/cpu/softmax"}},
    {"kernels/cpu/convolution",
     {"kernels/convolution", "kernels/cpu/convolution_filter_gradient",
      "kernels/cpu/convolution_patches", "kernels/cpu/padded_image", "kernels/cpu/sum_of_pieces"}},
    {"kernels/cpu/loss", {"kernels/cpu/smoothed_targets", "kernels/loss"}},
    {"kernels/cpu/matmul",
     {"kernels/cpu/matmul_blocking", "kernels/cpu/matmul_kernel", "kernels/cpu/matmul_packing",
      "kernels/cpu/matmul_plan", "kernels/cpu/matmul_sums"}},
    {"kernels/cpu/metric", {"kernels/metric"}},
    {"kernels/cpu/optimizer", {"kernels/optimizer"}},
    {"kernels/cpu/pooling", {"kernels/cpu/pool_windows", "kernels/cpu/window_taps"}},
    {"kernels/cpu/winograd",
     {"kernels/cpu/winograd_filter_gradient", "kernels/cpu/winograd_transforms"}},
    {"kernels/cuda/score", {"kernels/score"}},
    {"kernels/cuda/step", {"kernels/fused", "kernels/step"}},
    {"layers/dense", {"layers/detail/linear_parameters"}},
    {"layers/flatten", {"layers/data_format"}},
    {"layers/global_pool2d", {"layers/global_average_pool2d", "layers/global_max_pool2d"}},
    {"layers/layer",
     {"layers/declaration", "layers/layer_builder", "layers/parameter", "layers/pass"}},
    {"layers/max_pool2d", {"layers/detail/pool_layer", "layers/detail/window_layer"}},
    {"layers/relu", {"layers/detail/activation_layer"}},
    {"locale", {"weft"}},
    {"losses/binary_crossentropy", {"losses/detail/crossentropy_function"}},
    {"losses/loss", {"core/declared"}},
    {"model/fold_batch_norm", {"model/detail/channel_map", "model/detail/folded_layer"}},
    {"model/functional",
     {"layers/add", "layers/concatenate", "layers/merge_layer", "layers/multiply",
      "model/detail/names", "model/detail/predict_batches", "model/graph", "model/graph_order",
      "model/model", "model/model_passes"}},
    {"model/multi_functional",
     {"model/built_graph", "model/detail/own_form", "model/graph_outline", "model/graph_parts",
      "model/model_layers"}},
    {"model/plan", {"model/detail/plan_parts", "model/detail/plan_text", "model/plan_step"}},
    {"model/sequential", {"model/detail/summarize", "model/parameters"}},
    {"model/workspace", {"model/detail/pass_run", "model/detail/place_values"}},
    {"report/report", {"report/run_report"}},
    {"structure", {"version"}},
    {"testing/gradient_check",
     {"testing/evaluate_loss", "testing/random_tensor", "testing/single_layer"}},
    {"training/accumulation", {"training/detail/gradient_sum"}},
    {"training/callback",
     {"training/best_checkpoint", "training/csv_logger", "training/detail/callback_list",
      "training/early_stopping", "training/lambda_callback", "training/reduce_lr_on_plateau",
      "training/training_run"}},
    {"training/resident_data", {"training/detail/resident_samples"}},
    {"training/run_state", {"core/fields", "training/state_fields"}},
    {"training/several_outputs",
     {"data/columns", "losses/loss_list", "training/detail/loss_weights",
      "training/detail/outputs"}},
    {"training/trainer",
     {"training/detail/check_data", "training/detail/evaluate", "training/detail/find_non_finite",
      "training/detail/fit_run", "training/detail/history_table", "training/detail/model_run",
      "training/detail/parameter_check", "training/detail/parameter_rules",
      "training/detail/run_checkpoint", "training/detail/run_progress",
      "training/detail/score_batch", "training/detail/training_state",
      "training/detail/training_step", "kernels/tally", "training/detail/epoch_batches",
      "training/detail/recordings", "training/detail/step_table", "training/detail/tally"}},
    {"walled_device",
     {"core/staging", "cpu", "kernels/before", "kernels/dropping", "kernels/normalizing",
      "model/detail/on_device", "model/to_device"}},
};

/// What a file of the tree includes, by itself or through others: "include/weft/core/shape.hpp".
void collect_files(const std::string& path, std::set<std::string>& found) {
    const auto root = std::filesystem::path(WEFT_SOURCE_DIR);
    if (!std::filesystem::exists(root / path) || !found.insert(path).second) return;
    Header file{path, {}};
    std::ifstream stream(root / path);
    for (std::string line; std::getline(stream, line);) file.lines.push_back(line);
    for (const std::string& include : file.includes()) {
        const std::string name = include.substr(1, include.size() - 2);
        collect_files(name.starts_with("weft/") ? "include/" + name : name, found);
    }
}

}  // namespace

TEST_CASE("the headers are found") { REQUIRE(headers().size() > 10); }

TEST_CASE("includes follow the arrows") {
    for (const Header& header : headers()) {
        const std::string folder = header.folder();
        INFO(header.path);
        if (folder.empty()) continue;
        REQUIRE_MESSAGE(arrows.contains(folder), "a folder without a line in the table of arrows");
        const Folders allowed = reachable(folder);
        for (const std::string& include : header.own_includes()) {
            INFO("includes ", include);
            const std::string target = Header::folder_of(include);
            CHECK((target.empty() || allowed.contains(target)));
            CHECK(include != "weft/weft.hpp");
        }
    }
}

TEST_CASE("the arrows have no circle") {
    for (const auto& arrow : arrows) {
        for (const std::string& target : arrow.second) {
            INFO(arrow.first, " -> ", target);
            CHECK_FALSE(reachable(target).contains(arrow.first));
        }
    }
}

TEST_CASE("weft's own headers are included by full path, and exist") {
    for (const Header& header : headers()) {
        INFO(header.path);
        for (const std::string& include : header.own_includes()) {
            INFO("includes ", include);
            CHECK(include.starts_with("weft/"));
            CHECK(std::filesystem::exists(include_root / include));
        }
        for (const std::string& include : header.includes()) {
            CHECK_MESSAGE(!include.starts_with("<weft/"), include, " belongs in quotes");
        }
    }
}

TEST_CASE("what a folder keeps in detail is included by that folder alone") {
    for (const Header& header : headers()) {
        INFO(header.path);
        for (const std::string& include : header.own_includes()) {
            const auto detail = include.find("/detail/");
            if (detail == std::string::npos) continue;
            INFO("includes ", include);
            CHECK(header.path.starts_with(include.substr(0, detail + 1)));
        }
    }
}

TEST_CASE("kernels of a device are reached from no header that works on any") {
    // It only brings what a program that loads a model needs.
    const std::string front = "weft/io/model_file.hpp";
    for (const Header& header : headers()) {
        if (of_a_device.contains(header.folder()) && header.path != "weft/kernels/device.hpp") {
            continue;
        }
        INFO(header.path);
        std::set<std::string> reached;
        collect_includes(header.path, reached);
        if (header.path == front) {
            CHECK(reached.contains("weft/cpu.hpp"));
            CHECK_FALSE(header.has_line(std::regex(".*\\b(namespace|template)\\b.*")));
            continue;
        }
        for (const std::string& path : reached) {
            CHECK_MESSAGE(!path.starts_with("weft/kernels/cpu/"), "reaches ", path);
            CHECK_MESSAGE(!path.starts_with("weft/kernels/compiled/"), "reaches ", path);
            CHECK_MESSAGE(!path.starts_with("weft/kernels/cuda/"), "reaches ", path);
        }
    }
}

TEST_CASE("definitions of kernels reach no kernels of a device") {
    const auto root = std::filesystem::path(WEFT_SOURCE_DIR);
    const std::regex kernels("include/weft/(kernels/(cpu|compiled|cuda)/.*|cpu.hpp|weft.hpp)");
    int definitions = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(root / "tests" / "support" / "reference")) {
        std::set<std::string> reached;
        collect_files(entry.path().lexically_relative(root).generic_string(), reached);
        INFO(entry.path().filename().string());
        for (const std::string& path : reached) {
            CHECK_MESSAGE(!std::regex_match(path, kernels), "reaches ", path);
        }
        ++definitions;
    }
    CHECK(definitions > 10);
}

TEST_CASE("code for any device asks what a device has, not which it is") {
    const std::regex asks(R"(.*\b(same_as|is_same_v)<.*\b(Cpu|Cuda)>.*)");
    for (const Header& header : headers()) {
        if (of_a_device.contains(header.folder())) continue;
        INFO(header.path);
        CHECK_FALSE(header.has_line(asks));
    }
}

TEST_CASE("kernels that models call of the CPU are called by programs with compiled kernels too") {
    // Those that only other kernels call.
    const std::set<std::string> inner{"column_moments",
                                      "count_binary_matches",
                                      "count_categorical_matches",
                                      "count_sparse_matches",
                                      "count_top_k_matches",
                                      "matmul",
                                      "penalty",
                                      "softmax_backward",
                                      "softmax_forward",
                                      "total"};
    const std::regex kernel(R"(^(?!\s|//).*\b(\w+)\((?:const )?Cpu&.*)");
    std::set<std::string> of_cpu, compiled;
    for (const Header& header : headers()) {
        const bool is_of_cpu = header.path.starts_with("weft/kernels/cpu/");
        if (!is_of_cpu && !header.path.starts_with("weft/kernels/compiled/")) continue;
        bool is_detail = false;
        std::smatch match;
        for (const std::string& line : header.lines) {
            if (line == "namespace detail {") is_detail = true;
            if (line == "}  // namespace detail") is_detail = false;
            if (is_detail || !std::regex_match(line, match, kernel)) continue;
            (is_of_cpu ? of_cpu : compiled).insert(match[1]);
            // Else the linker may take a call for the kernel it calls, which then calls itself.
            INFO(header.path);
            CHECK((is_of_cpu || header.has_line(std::regex("inline namespace calls .*"))));
        }
    }
    CHECK(of_cpu.size() > 60);
    for (const std::string& name : of_cpu) {
        CHECK_MESSAGE(compiled.contains(name) != inner.contains(name), name);
    }
}

TEST_CASE("no header needs CUDA, and none but those of GPUs brings one of these") {
    const std::regex cuda("<(cuda|cublas|cudnn|curand|nvrtc|nccl).*");
    for (const Header& header : headers()) {
        INFO(header.path);
        // A folder for CUDA's headers may be on every compiler's path, so that it would not be missed.
        for (const std::string& include : header.includes()) {
            CHECK_FALSE(std::regex_match(include, cuda));
        }
        if (header.path == "weft/cuda.hpp" || header.path.find("/cuda/") != std::string::npos)
            continue;
        CHECK(std::ranges::count(header.own_includes(), "weft/core/cuda.hpp") == 0);
        CHECK(std::ranges::count(header.own_includes(), "weft/cuda.hpp") == 0);
    }
}

TEST_CASE("what weft.hpp brings takes the compiler no algorithm of ranges, and no <numeric>") {
    // About 3 MB of g++'s memory for each type they are called with; those of iterators take a fifth.
    const std::regex call(R"(.*std::ranges::(?!data\(|size\()\w+\(.*)"),
        numeric("#include <numeric>");
    std::set<std::string> reached;
    collect_includes("weft/weft.hpp", reached);
    for (const Header& header : headers()) {
        if (!reached.contains(header.path)) continue;
        INFO(header.path);
        CHECK(!header.has_line(call));
        CHECK(!header.has_line(numeric));
    }
}

TEST_CASE("zlib is reached neither from weft.hpp nor from any header of weft::weft") {
    for (const Header& header : headers()) {
        if (header.path == "weft/data/gzip.hpp" || header.path == "weft/data/fashion_mnist.hpp") {
            continue;
        }
        INFO(header.path);
        std::set<std::string> reached;
        collect_includes(header.path, reached);
        for (const std::string& path : reached) {
            const auto includes = std::ranges::find(headers(), path, &Header::path)->includes();
            CHECK_MESSAGE(std::ranges::count(includes, "<zlib.h>") == 0, "through ", path);
        }
    }
}

TEST_CASE("libpng and TurboJPEG are reached from the headers of weft::image alone") {
    const std::set<std::string> codecs{"weft/data/detail/png.hpp", "weft/data/detail/jpeg.hpp"};
    for (const Header& header : headers()) {
        if (header.path == "weft/data/image.hpp" || header.path == "weft/data/image_dataset.hpp" ||
            codecs.contains(header.path)) {
            continue;
        }
        INFO(header.path);
        std::set<std::string> reached;
        collect_includes(header.path, reached);
        for (const std::string& codec : codecs) CHECK_FALSE(reached.contains(codec));
    }
}

TEST_CASE("conditions are for the compiler, processor and system alone, macros in config.hpp") {
    const std::regex conditional(R"(^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b.*)");
    const std::regex macro(R"(^\s*#\s*(define|undef)\b.*)");
    for (const Header& header : headers()) {
        if (header.path == "weft/config.hpp") continue;
        INFO(header.path);
        const bool may_ask = header.path == "weft/core/processor.hpp" ||
                             header.path == "weft/core/system.hpp" ||
                             header.path == "weft/core/threads.hpp";
        if (!may_ask) CHECK_FALSE(header.has_line(conditional));
        if (header.path == "weft/version.hpp") continue;
        CHECK_FALSE(header.has_line(macro));
    }
}

TEST_CASE("the operating system's headers come through core/system.hpp, to those that need it") {
    const std::set<std::string> system{"<fcntl.h>",   "<io.h>",       "<process.h>", "<sys/stat.h>",
                                       "<windows.h>", "<sys/mman.h>", "<unistd.h>"};
    const std::set<std::string> need_it{"weft/core/atomic_file.hpp", "weft/data/idx.hpp",
                                        "weft/io/detail/build.hpp", "weft/core/file_name.hpp",
                                        "weft/training/progress.hpp"};
    for (const Header& header : headers()) {
        INFO(header.path);
        for (const std::string& include : header.includes()) {
            INFO("includes ", include);
            if (header.path != "weft/core/system.hpp") CHECK_FALSE(system.contains(include));
            if (include == "\"weft/core/system.hpp\"") CHECK(need_it.contains(header.path));
        }
    }
}

TEST_CASE("users get no warnings from packets") {
    const std::regex begin("^WEFT_PACKETS_BEGIN$"), end("^WEFT_PACKETS_END$");
    const std::regex internal(R"(.*\bEigen::internal\b.*)");
    const std::regex packets(R"(.*\b(Packet<|p(add|sub|mul|madd|select)\().*)");
    // Those of many instructions, which g++ may compile by themselves.
    const std::regex large(R"(.*\b(p(exp|log|tanh|sqrt|sin|cos|erf|pow|transpose)|predux\w*)\(.*)");
    for (const Header& header : headers()) {
        INFO(header.path);
        CHECK(header.has_line(begin) == header.has_line(end));
        if (header.has_line(packets)) {
            CHECK_MESSAGE(header.has_line(begin), "needs WEFT_PACKETS_BEGIN and WEFT_PACKETS_END");
        }
        if (header.path == "weft/kernels/cpu/packet.hpp") continue;
        CHECK_FALSE_MESSAGE(header.has_line(internal), "only packet.hpp names it");
        CHECK_FALSE_MESSAGE(header.has_line(large), "belongs in packet.hpp, flattened");
    }
}

TEST_CASE("min and max may be macros, as <windows.h> makes them") {
    const std::regex called(R"(.*\b(min|max)(<[^()]*>)?\(.*)"), comment("//.*"), text("\".*\"");
    for (const Header& header : headers()) {
        INFO(header.path);
        for (const std::string& line : header.lines) {
            const std::string code =
                std::regex_replace(std::regex_replace(line, comment, ""), text, "");
            CHECK_MESSAGE(!std::regex_match(code, called), "write (std::max)(a, b): ", line);
        }
    }
}

TEST_CASE("each header has its guard and at most 260 lines") {
    const std::regex guard(R"(^#pragma once$)");
    for (const Header& header : headers()) {
        INFO(header.path);
        CHECK(header.has_line(guard));
        CHECK(header.lines.size() <= 260);
        // A front of Model has next to nothing of its own.
        if (header.path == "weft/model/sequential.hpp") CHECK(header.lines.size() < 150);
    }
}

TEST_CASE("each header is installed: it is in one list of cmake/weft_headers.cmake, once") {
    std::ifstream file(std::filesystem::path(WEFT_SOURCE_DIR) / "cmake" / "weft_headers.cmake");
    std::map<std::string, int> listed;
    for (std::string word; file >> word;) ++listed[word];
    for (const Header& header : headers()) {
        INFO(header.path);
        CHECK(listed[header.path.substr(header.path.find('/') + 1)] == 1);
    }
}

TEST_CASE("what is compiled once keeps the laws of headers too") {
    const std::regex preprocessor(R"(^\s*#\s*(if|ifdef|ifndef|elif|else|endif|define|undef)\b.*)");
    std::set<std::string> names;
    for (const Header& header : headers()) names.insert(header.path);
    int sources = 0;
    const auto root = std::filesystem::path(WEFT_SOURCE_DIR) / "src";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.is_directory()) continue;
        const auto path = entry.path().lexically_relative(root);
        Header file{path.generic_string(), {}};
        std::ifstream stream(entry.path());
        for (std::string line; std::getline(stream, line);) file.lines.push_back(line);
        INFO(file.path);
        ++sources;
        CHECK(file.lines.size() <= 300);
        // What only a GPU's compiler can do has another form for the simulator, and for old GPUs.
        if (!file.path.starts_with("cuda/gpu/")) CHECK_FALSE(file.has_line(preprocessor));
        CHECK_FALSE(file.has_line(std::regex(".*\\bWEFT_COLD\\b.*")));
        const bool is_header = path.extension() == ".hpp" || path.extension() == ".cuh";
        CHECK(file.has_line(std::regex("^#pragma once$")) == is_header);
        const bool is_cuda = path.begin()->string() == "cuda";
        const std::string folder = is_cuda ? "kernels" : path.begin()->string();
        for (const std::string& include : file.own_includes()) {
            INFO("includes ", include);
            if (!include.starts_with("weft/")) {
                CHECK(std::filesystem::exists(entry.path().parent_path() / include));
                continue;
            }
            CHECK(names.contains(include));
            const std::string target = Header::folder_of(include);
            CHECK((target.empty() || reachable(folder).contains(target)));
        }
        if (!is_cuda) continue;
        // Eigen's types differ in alignment between nvcc and a compiler with -march=native.
        std::set<std::string> reached;
        collect_files("src/" + file.path, reached);
        for (const std::string& name : reached) {
            Header other{name, {}};
            std::ifstream lines(std::filesystem::path(WEFT_SOURCE_DIR) / name);
            for (std::string line; std::getline(lines, line);) other.lines.push_back(line);
            INFO("reaches ", name);
            CHECK_FALSE(other.has_line(std::regex("#include <Eigen/.*")));
            CHECK_FALSE(name.starts_with("include/weft/kernels/cpu/"));
        }
    }
    CHECK(sources > 3);
}

TEST_CASE("each header has a test of its name, or is listed with the test that covers it") {
    const auto has_test = [](const std::string& name) {
        return std::filesystem::exists(std::filesystem::path(WEFT_SOURCE_DIR) / "tests" /
                                       (name + "_test.cpp"));
    };
    std::map<std::string, std::string> listed;
    for (const auto& entry : tested_elsewhere) {
        const auto& [test, names] = entry;
        INFO(entry.first);
        CHECK(has_test(test));
        std::set<std::string> included;
        collect_files("tests/" + test + "_test.cpp", included);
        for (const std::string& name : names) {
            INFO(name);
            CHECK(listed.insert({name, test}).second);
            CHECK_MESSAGE(included.contains("include/weft/" + name + ".hpp"),
                          "does not include it");
        }
    }
    for (const Header& header : headers()) {
        const std::string name = header.path.substr(5, header.path.size() - 9);
        // detail/png.hpp is a part of what is tested in png_test.cpp.
        const bool has_own =
            has_test(name) || has_test(std::regex_replace(name, std::regex("detail/"), ""));
        INFO(name);
        const std::string_view fault = has_own ? "has a test of its name: take it off the list"
                                               : "has no test of its name, and is not on the list";
        const bool is_right = has_own != listed.contains(name);
        CHECK_MESSAGE(is_right, fault);
        listed.erase(name);
    }
    for (const auto& gone : listed)
        FAIL_CHECK("on the list, but there is no such header: ", gone.first);
}

TEST_CASE("the version is the same as text and as numbers") {
    const std::string numbers = std::to_string(WEFT_VERSION_MAJOR) + "." +
                                std::to_string(WEFT_VERSION_MINOR) + "." +
                                std::to_string(WEFT_VERSION_PATCH);
    CHECK(numbers == WEFT_VERSION);
}
