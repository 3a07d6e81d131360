/// \file
/// RunState: all that a training run needs to go on later as if it had never stopped.
#pragma once

#include "weft/core/buffer.hpp"
#include "weft/core/tensor_view.hpp"

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

/// Named values, each with a name of its own: what a run is made of at one moment.
struct RunState {
    enum class Type { byte, integer, float32, float64 };

    struct Value {
        std::string name;
        Type type;
        Shape shape;
        Buffer bytes;
    };

    std::vector<Value> values = {};
    std::string origin = "the state";  ///< where it comes from, in errors: the name of a file

    WEFT_COLD const Value* find(std::string_view name) const {
        const auto found = std::ranges::find(values, name, &Value::name);
        return found == values.end() ? nullptr : &*found;
    }
};

/// Saves fields into a RunState, or restores them from one. What has a state names its fields in
/// one function, which serves both ways:
///
///   void visit_state(StateFields& field) { field("best", best); field("waited", waited); }
///
/// A field is a whole number, a bool, a double, an optional one, a list of them, a text, a Buffer,
/// the view of a tensor, or something with a visit_state. Restoring throws IoError for one that the
/// state lacks, or has with another type or shape.
class StateFields {
public:
    static StateFields saving_to(RunState& state) { return StateFields(&state, nullptr); }
    static StateFields restoring_from(const RunState& state) {
        return StateFields(nullptr, &state);
    }

    bool is_restoring() const { return from_ != nullptr; }

    /// A whole number; of 64 bits with all of them, else one that T holds.
    template <std::integral T>
    void operator()(std::string_view name, T& number) {
        auto wide = static_cast<std::int64_t>(number);
        visit(name, RunState::Type::integer, Shape{}, &wide, sizeof wide);
        require(sizeof(T) == sizeof wide || std::in_range<T>(wide), name,
                concat("is ", wide, ", which is out of range"));
        number = static_cast<T>(wide);
    }
    /// A number of things: not negative, and not so large that counting on overflows.
    template <std::integral T>
    void count(std::string_view name, T& number) {
        (*this)(name, number);
        require(std::cmp_greater_equal(number, 0) && std::cmp_less(number, std::int64_t{1} << 53),
                name, "is no number of things");
    }
    WEFT_COLD void operator()(std::string_view name, bool& truth) {
        int number = truth;
        (*this)(name, number);
        truth = number != 0;
    }
    WEFT_COLD void operator()(std::string_view name, double& number) {
        visit(name, RunState::Type::float64, Shape{}, &number, sizeof number);
    }
    WEFT_COLD void operator()(std::string_view name, std::optional<double>& number) {
        std::vector<double> list;
        if (number) list.push_back(*number);
        (*this)(name, list);
        require(list.size() <= 1, name, "is more than one number");
        number = list.empty() ? std::nullopt : std::optional(list[0]);
    }
    WEFT_COLD void operator()(std::string_view name, std::vector<double>& list) {
        visit_list(name, RunState::Type::float64, list);
    }
    WEFT_COLD void operator()(std::string_view name, std::string& text) {
        visit_list(name, RunState::Type::byte, text);
    }
    WEFT_COLD void operator()(std::string_view name, Buffer& bytes) {
        if (const RunState::Value* value = find(name, RunState::Type::byte)) bytes = value->bytes;
        if (to_) {
            write(name, RunState::Type::byte, Shape{static_cast<Index>(bytes.size())}, bytes);
        }
    }
    /// The numbers of a tensor, which keeps its shape.
    template <std::floating_point Scalar>
    WEFT_COLD void operator()(std::string_view name, TensorView<Scalar> tensor) {
        constexpr auto type =
            sizeof(Scalar) == 4 ? RunState::Type::float32 : RunState::Type::float64;
        visit(name, type, tensor.shape(), tensor.data(),
              static_cast<std::size_t>(tensor.size()) * sizeof(Scalar));
    }
    /// The fields of an object, as "name/field".
    template <class T>
    requires requires(T& object, StateFields& field) { object.visit_state(field); }
    void operator()(std::string_view name, T& object) {
        const std::size_t outer = prefix_.size();
        prefix_ += concat(name, "/");
        object.visit_state(*this);
        prefix_.resize(outer);
    }

    /// Throws IoError "<origin>: <name> <complaint>" unless it holds.
    WEFT_COLD void require(bool holds, std::string_view name, std::string_view complaint) const {
        if (holds) return;
        throw IoError(
            concat(is_restoring() ? from_->origin : "run", ": ", prefix_, name, " ", complaint));
    }

    /// Throws IoError when the state has a value that no field asked for.
    WEFT_COLD void require_all_known() const {
        for (const RunState::Value& value : from_->values) {
            if (std::ranges::find(known_, &value) != known_.end()) continue;
            throw IoError(
                concat(from_->origin, ": holds ", value.name, ", which this run does not have"));
        }
    }

private:
    StateFields(RunState* to, const RunState* from) : to_(to), from_(from) {}

    /// When restoring, the value of that name.
    WEFT_COLD const RunState::Value* find(std::string_view name, RunState::Type type) {
        if (!is_restoring()) return nullptr;
        const RunState::Value* value = from_->find(prefix_ + std::string(name));
        require(value != nullptr, name, "is missing, but this run has one");
        require(value->type == type, name, "is of another type of number than this run's");
        known_.push_back(value);
        return value;
    }

    WEFT_COLD void write(std::string_view name, RunState::Type type, const Shape& shape,
                         Buffer bytes) {
        std::string full = prefix_ + std::string(name);
        if (to_->find(full)) throw ArgumentError(concat("run: two values are named ", full));
        to_->values.push_back({std::move(full), type, shape, std::move(bytes)});
    }

    WEFT_COLD void visit(std::string_view name, RunState::Type type, const Shape& shape, void* data,
                         std::size_t size_bytes) {
        if (const RunState::Value* value = find(name, type)) {
            require(value->shape == shape && value->bytes.size() == size_bytes, name,
                    concat("has shape ", value->shape, ", expected ", shape));
            if (size_bytes > 0) std::memcpy(data, value->bytes.data(), size_bytes);
            return;
        }
        Buffer copy(size_bytes);
        if (size_bytes > 0) std::memcpy(copy.data(), data, size_bytes);
        write(name, type, shape, std::move(copy));
    }

    template <class List>
    WEFT_COLD void visit_list(std::string_view name, RunState::Type type, List& list) {
        if (is_restoring()) {
            const RunState::Value* value = find(name, type);
            require(value->shape.rank() == 1, name, "is no list");
            list.resize(value->bytes.size() / sizeof(list[0]));
        }
        const Shape shape{static_cast<Index>(list.size())};
        visit(name, type, shape, list.data(), list.size() * sizeof(list[0]));
    }

    RunState* to_;
    const RunState* from_;
    std::string prefix_;
    std::vector<const RunState::Value*> known_;
};

/// Where a run keeps its state, so that it outlives the program; checkpoint_file of weft/io makes
/// one.
struct RunStore {
    std::function<std::optional<RunState>()> load = {};  ///< the state kept last, if there is one
    std::function<void(const RunState&)> save = {};
    Index every_steps = 0;  ///< how often, besides at the end of each epoch; 0: only then

    explicit operator bool() const { return static_cast<bool>(save); }
};

}  // namespace weft
