/// \file
/// A source that meets weft after the macros of <windows.h>, which come after the standard library.
#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <numbers>
#include <numeric>
#include <optional>
#include <random>
#include <ranges>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <Eigen/Core>

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define near
#define far
#define small char
#define hyper long
#define interface struct
#define pascal
#define cdecl
#define ERROR 0
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define VOID void
#define TRUE 1
#define FALSE 0
#define RELATIVE 1
#define ABSOLUTE 2
#define TRANSPARENT 1
#define OPAQUE 2
#define DELETE 1
#define STRICT 1
#define NO_ERROR 0

#include <weft/data/cifar10.hpp>
#include <weft/data/csv.hpp>
#include <weft/data/stream_idx.hpp>
#include <weft/report/report.hpp>
#include <weft/report/tensorboard_logger.hpp>
#include <weft/weft.hpp>

int largest_class(const weft::Sequential<float>& model, const weft::Tensor<float>& x) {
    const weft::Tensor<float> y = model.predict(x);
    return static_cast<int>(std::max_element(y.begin(), y.end()) - y.begin());
}
