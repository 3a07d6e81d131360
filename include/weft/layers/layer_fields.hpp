/// \file
/// LayerFields: writes or reads the fields of a layer's declaration.
#pragma once

#include "weft/core/fields.hpp"
#include "weft/initializers/initializer.hpp"
#include "weft/kernels/activation.hpp"
#include "weft/kernels/window.hpp"
#include "weft/layers/constraint.hpp"
#include "weft/layers/data_format.hpp"
#include "weft/layers/extent2d.hpp"
#include "weft/layers/regularizer.hpp"

#include <vector>

namespace weft {

/// Writes the fields of a declaration to a file or reads them, one call per field. One function
/// beside the declaration names the fields:
///
///   struct Scale { double factor = 1; ... };
///   inline void visit_fields(Scale& scale, LayerFields& field) { field("factor", scale.factor); }
///
/// A field missing in the file keeps its value; a field in the file that was not read is refused. A
/// field `std::string name` is visited without being listed.
/// Throws IoError for a value of another type than the field's.
class LayerFields : public Fields {
public:
    using Fields::operator();

    virtual void operator()(std::string_view name, std::vector<Index>& numbers) = 0;
    virtual void operator()(std::string_view name, std::vector<std::vector<Index>>& lists) = 0;
    virtual void operator()(std::string_view name, Extent2D& extent) = 0;
    virtual void operator()(std::string_view name, Extent2D& before, Extent2D& after) = 0;
    virtual void operator()(std::string_view name, Activation& activation) = 0;
    virtual void operator()(std::string_view name, Padding& padding) = 0;
    virtual void operator()(std::string_view name, DataFormat& format) = 0;
    virtual void operator()(std::string_view name, Initializer& initializer) = 0;
    virtual void operator()(std::string_view name, Regularizer& regularizer) = 0;
    /// The constraint of a parameter of the given rank: norms are over all axes but the last; of a
    /// vector, over its only one.
    virtual void operator()(std::string_view name, Constraint& constraint, Index rank) = 0;
    WEFT_COLD void operator()(std::string_view name, float& number) {
        double wide = static_cast<double>(number);
        (*this)(name, wide);
        number = static_cast<float>(wide);
    }

    /// The layer's name; not written if the user gave none.
    virtual void name(std::string& name) = 0;

    using Fields::require;
    /// For the declaration as a whole.
    void require(bool holds, std::string_view complaint) const { require(holds, "", complaint); }
};

}  // namespace weft
