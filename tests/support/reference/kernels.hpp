/// \file
/// All kernels of Reference.
#pragma once

#include "tests/support/reference/activation.hpp"
#include "tests/support/reference/batch_norm.hpp"
#include "tests/support/reference/convolution.hpp"
#include "tests/support/reference/dense.hpp"
#include "tests/support/reference/dropout.hpp"
#include "tests/support/reference/layout.hpp"
#include "tests/support/reference/loss.hpp"
#include "tests/support/reference/merge.hpp"
#include "tests/support/reference/metric.hpp"
#include "tests/support/reference/normalizing_pool.hpp"
#include "tests/support/reference/optimizer.hpp"
#include "tests/support/reference/penalty.hpp"
#include "tests/support/reference/pooling.hpp"
#include "tests/support/reference/reduction.hpp"
#include "tests/support/reference/tally.hpp"
