/// \file
/// save_model and load_model, and the CPU's kernels, so that a program that only loads a model needs
/// no other header.
#pragma once

#include "weft/cpu.hpp"
#include "weft/io/save_model.hpp"
