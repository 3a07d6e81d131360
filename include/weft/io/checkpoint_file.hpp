/// \file
/// checkpoint_file: saves the state of a training run to a file, and resumes the run from it.
#pragma once

#include "weft/training/run_state.hpp"

#include <filesystem>

namespace weft {

/// When checkpoint_file saves, and whether it resumes.
struct CheckpointOptions {
    Index every_steps = 0;  ///< saves at this interval and after each epoch; 0: only then
    bool resume = true;     ///< continue from the file if it exists; false: always start anew
};

/// Saves a run to a file regularly, and resumes it from there:
///
///   trainer.fit(x, y, {.epochs = 100, .checkpoint = checkpoint_file("run.safetensors")});
///
/// Started again after an interruption at any instant, the same program continues from the file. It
/// ends with the same bits of model, optimiser, history and callbacks (weft's, and others with a
/// visit_state) as without the interruption. After a finished run, fit returns the history at once,
/// or trains the epochs that were added. Data, model, trainer and options have to be the same.
/// Before anything changes, fit checks the names and shapes of the parameters, the optimiser's
/// type, the seed, the number of samples, the batch size, the scores and the callbacks' fields. It
/// checks no more, so each call of fit needs a file of its own.
///
/// The file is in the safetensors format, with the parameters as save_weights writes them, so
/// load_weights reads it too; the rest is under "training/". A new file replaces the old one only
/// when it is complete and on the disk, so there is always a whole checkpoint. A CRC-32C over all
/// of it reveals damage.
///
/// fit throws IoError, which names the file, when it cannot be written or read, is damaged, or
/// belongs to another run.
RunStore checkpoint_file(const std::filesystem::path& path, const CheckpointOptions& options = {});

namespace detail {

/// Writes and reads the file of checkpoint_file; the fuzzer reads without the CRC.
void write_checkpoint(const std::filesystem::path& path, const RunState& state);
RunState read_checkpoint(const std::filesystem::path& path, bool with_check = true);

}  // namespace detail

}  // namespace weft
