/// \file
/// The CPU's kernels in a program that links to weft::kernels: chosen when it runs.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/kernels/compiled/choice.hpp"
#include "weft/kernels/compiled/layers.hpp"
#include "weft/kernels/compiled/losses.hpp"
#include "weft/kernels/compiled/training.hpp"
