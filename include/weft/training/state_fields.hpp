/// \file
/// StateFields: saves or restores the state of a training run, field by field.
#pragma once

#include "weft/core/buffer.hpp"
#include "weft/core/fields.hpp"
#include "weft/core/tensor_view.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace weft {

/// Saves fields or restores them. A type with a state names its fields in one function that serves
/// both ways:
///
///   void visit_state(StateFields& field) { field("best", best); field("waited", waited); }
///
/// A field is a whole number, a bool, a double, an optional double, a list of doubles, a text, a
/// Buffer, the view of a tensor, or an object with a visit_state. Restoring throws IoError for a
/// field that the state lacks, or has with another type or shape. Abstract: programs without
/// checkpoints do not compile the implementation, RunStateFields.
class StateFields : public Fields {
public:
    using Fields::operator();

    virtual void operator()(std::string_view name, std::optional<double>& number) = 0;
    virtual void operator()(std::string_view name, std::vector<double>& list) = 0;
    virtual void operator()(std::string_view name, Buffer& bytes) = 0;
    /// A count: a whole number of at least 0, below 2^53 so that counting further does not
    /// overflow.
    template <std::integral T>
    void count(std::string_view name, T& number) {
        auto wide = static_cast<std::int64_t>(number);
        visit_integer(name, wide);
        require(wide >= 0 && wide < std::int64_t{1} << 53 && std::in_range<T>(wide), name,
                "is not a whole number from 0 to 2^53");
        number = static_cast<T>(wide);
    }
    /// The numbers of a tensor. Its shape must be the saved one.
    template <std::floating_point Scalar, class Device>
    void operator()(std::string_view name, TensorView<Scalar, Device> tensor) {
        visit_numbers(name, tensor.shape(), tensor.data(), sizeof(Scalar));
    }
    /// Repeated from Fields, since before version 16 clang finds it hidden by the function below.
    template <std::integral T>
    void operator()(std::string_view name, T& number) {
        Fields::operator()(name, number);
    }
    /// The fields of an object, as "name/field".
    template <class T>
    requires requires(T& object, StateFields& field) { object.visit_state(field); }
    void operator()(std::string_view name, T& object) {
        begin_object(name);
        object.visit_state(*this);
        end_object();
    }

protected:
    /// Floating-point numbers of element_bytes each.
    virtual void visit_numbers(std::string_view name, const Shape& shape, void* data,
                               std::size_t element_bytes) = 0;
    virtual void begin_object(std::string_view name) = 0;
    virtual void end_object() = 0;
};

/// All fields of a run.
using VisitState = std::function<void(StateFields&)>;

/// Stores the state of a run beyond the program's end: checkpoint_file of weft/io, or run_store.
struct RunStore {
    /// Restores the state saved last; false if there is none. If it throws, nothing has changed.
    std::function<bool(const VisitState&)> load = {};
    std::function<void(const VisitState&)> save = {};  ///< saves the state
    Index every_steps = 0;  ///< saves at this interval and after each epoch; 0: only then

    explicit operator bool() const { return static_cast<bool>(save); }
};

}  // namespace weft
