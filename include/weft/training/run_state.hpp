/// \file
/// RunState: all that a training run needs to resume as if it had never stopped.
#pragma once

#include "weft/core/contains.hpp"
#include "weft/training/state_fields.hpp"

#include <cstring>

namespace weft {

/// The state of a run as values with different names.
struct RunState {
    enum class Type { byte, integer, float32, float64 };

    /// An array, or a number, with its name.
    struct Value {
        std::string name;  ///< unique
        Type type;         ///< of each number
        Shape shape;       ///< () of a single number
        Buffer bytes;      ///< the numbers, in row-major order
    };

    std::vector<Value> values = {};    ///< in the order of visit_state
    std::string origin = "the state";  ///< its origin, for errors: the name of a file

    WEFT_COLD const Value* find(std::string_view name) const {
        for (const Value& value : values) {
            if (value.name == name) return &value;
        }
        return nullptr;
    }
};

namespace detail {

/// StateFields that write a RunState, or read one if it is const.
class RunStateFields final : public StateFields {
public:
    explicit RunStateFields(RunState& to) : to_(&to) {}
    /// is_checked: whether the state is from elsewhere, such as a file; false: from this very run.
    explicit RunStateFields(const RunState& from, bool is_checked = true)
        : from_(&from), is_checked_(is_checked) {}

    using StateFields::operator();

    bool is_restoring() const override { return from_ != nullptr; }

    void operator()(std::string_view name, bool& truth) override {
        std::int64_t number = truth;
        visit_integer(name, number);
        truth = number != 0;
    }
    void operator()(std::string_view name, double& number) override {
        visit(name, RunState::Type::float64, Shape{}, &number, sizeof number);
    }
    void operator()(std::string_view name, std::optional<double>& number) override {
        std::vector<double> list;
        if (number) list.push_back(*number);
        (*this)(name, list);
        check(list.size() <= 1, name, "has more than one number");
        number = list.empty() ? std::nullopt : std::optional(list[0]);
    }
    void operator()(std::string_view name, std::vector<double>& list) override {
        visit_list(name, RunState::Type::float64, list);
    }
    void operator()(std::string_view name, std::string& text) override {
        visit_list(name, RunState::Type::byte, text);
    }
    void operator()(std::string_view name, Buffer& bytes) override {
        if (const RunState::Value* value = find(name, RunState::Type::byte)) {
            bytes = value->bytes;
        } else {
            write(name, RunState::Type::byte, Shape{static_cast<Index>(bytes.size())}, bytes);
        }
    }

    void require(bool holds, std::string_view name, std::string_view complaint) const override {
        check(holds || !is_checked_, name, complaint);
    }

    /// Throws IoError if the state has a value that no field read.
    void require_all_known() const {
        for (const RunState::Value& value : from_->values) {
            if (contains(known_, &value)) continue;
            throw IoError(
                concat(from_->origin, ": holds ", value.name, ", which this run does not have"));
        }
    }

private:
    void check(bool holds, std::string_view name, std::string_view complaint) const {
        if (holds) return;
        throw IoError(
            concat(is_restoring() ? from_->origin : "run", ": ", prefix_, name, " ", complaint));
    }

    void visit_integer(std::string_view name, std::int64_t& number) override {
        visit(name, RunState::Type::integer, Shape{}, &number, sizeof number);
    }
    void visit_numbers(std::string_view name, const Shape& shape, void* data,
                       std::size_t element_bytes) override {
        const auto type = element_bytes == 4 ? RunState::Type::float32 : RunState::Type::float64;
        visit(name, type, shape, data, static_cast<std::size_t>(shape.size()) * element_bytes);
    }
    void begin_object(std::string_view name) override {
        outer_.push_back(prefix_.size());
        prefix_ += concat(name, "/");
    }
    void end_object() override {
        prefix_.resize(outer_.back());
        outer_.pop_back();
    }

    /// The value with the given name, for restoring.
    const RunState::Value* find(std::string_view name, RunState::Type type) {
        if (!is_restoring()) return nullptr;
        const RunState::Value* value = from_->find(prefix_ + std::string(name));
        check(value != nullptr, name, "is missing, but this run has one");
        check(value->type == type, name, "has another number type than this run's");
        known_.push_back(value);
        return value;
    }

    void write(std::string_view name, RunState::Type type, const Shape& shape, Buffer bytes) {
        std::string full = prefix_ + std::string(name);
        if (to_->find(full)) throw ArgumentError(concat("run: two values are named ", full));
        to_->values.push_back({std::move(full), type, shape, std::move(bytes)});
    }

    void visit(std::string_view name, RunState::Type type, const Shape& shape, void* data,
               std::size_t size_bytes) {
        if (const RunState::Value* value = find(name, type)) {
            check(value->shape == shape && value->bytes.size() == size_bytes, name,
                  concat("has shape ", value->shape, ", expected ", shape));
            if (size_bytes > 0) std::memcpy(data, value->bytes.data(), size_bytes);
            return;
        }
        Buffer copy(size_bytes);
        if (size_bytes > 0) std::memcpy(copy.data(), data, size_bytes);
        write(name, type, shape, std::move(copy));
    }

    template <class List>
    void visit_list(std::string_view name, RunState::Type type, List& list) {
        if (is_restoring()) {
            const RunState::Value* value = find(name, type);
            check(value->shape.rank() == 1, name, "is not a list");
            list.resize(value->bytes.size() / sizeof(list[0]));
        }
        const Shape shape{static_cast<Index>(list.size())};
        visit(name, type, shape, list.data(), list.size() * sizeof(list[0]));
    }

    RunState* to_ = nullptr;
    const RunState* from_ = nullptr;
    bool is_checked_ = true;
    std::string prefix_;
    std::vector<std::size_t> outer_;  ///< lengths of the prefix around each open object
    std::vector<const RunState::Value*> known_;
};

inline RunState state_of(const VisitState& visit) {
    RunState state;
    RunStateFields fields(state);
    visit(fields);
    return state;
}

inline void restore(const VisitState& visit, const RunState& state) {
    RunStateFields fields(state);
    visit(fields);
    fields.require_all_known();
}

/// Restores a state that state_of made of the same run, without checks.
inline void roll_back(const VisitState& visit, const RunState& state) {
    RunStateFields fields(state, false);
    visit(fields);
}

}  // namespace detail

/// A store made of two functions: load returns the state saved last, if there is one; save saves a
/// state.
inline RunStore run_store(std::function<std::optional<RunState>()> load,
                          std::function<void(const RunState&)> save, Index every_steps = 0) {
    return {.load =
                [load = std::move(load)](const VisitState& visit) {
                    const std::optional<RunState> saved = load();
                    if (!saved) return false;
                    const RunState before = detail::state_of(visit);
                    try {
                        detail::restore(visit, *saved);
                    } catch (...) {
                        detail::roll_back(visit, before);
                        throw;
                    }
                    return true;
                },
            .save = [save = std::move(save)](
                        const VisitState& visit) { save(detail::state_of(visit)); },
            .every_steps = every_steps};
}

}  // namespace weft
