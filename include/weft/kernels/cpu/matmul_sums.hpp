/// \file
/// The sum of the products that parts of a depth give.
#pragma once

#include "weft/kernels/cpu/matmul_plan.hpp"

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// C = epilogue(sum of the `count` products of rows x columns elements from `sums` on), in order.
template <class Scalar>
WEFT_NOINLINE void add_products(const Product<Scalar>& p, const Scalar* sums, Index count) {
    const Index size = p.rows * p.columns;
    for (Index i = 0; i < p.rows; ++i, sums += p.columns) {
        Scalar* const c = p.c + i * p.c_row;
        for_each_packet<Scalar>(p.columns, [&](Index j, auto width) WEFT_INLINE_LAMBDA {
            auto sum = load_up_to(sums + j, width);
            if (p.epilogue.accumulate) sum = padd(load_up_to(c + j, width), sum);
            for (Index d = 1; d < count; ++d) {
                sum = padd(sum, load_up_to(sums + d * size + j, width));
            }
            if (p.epilogue.bias != nullptr) {
                sum = padd(sum, load_up_to(p.epilogue.bias + j, width));
            }
            if (p.epilogue.relu) sum = relu<Scalar>(sum);
            store_up_to(c + j, sum, width);
        });
    }
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
