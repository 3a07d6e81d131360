/// \file
/// checkpoint_file: the state of a training run in a file, from which it goes on after a crash.
#pragma once

#include "weft/training/run_state.hpp"

#include <filesystem>

namespace weft {

/// How a run is kept.
struct CheckpointOptions {
    Index every_steps = 0;  ///< how often, besides at the end of each epoch; 0: only then
    bool resume = true;     ///< go on from the file if it is there; else the run starts anew
};

/// Keeps a run in a file as it goes on, and resumes it from there:
///
///   trainer.fit(x, y, {.epochs = 100, .checkpoint = checkpoint_file("run.safetensors")});
///
/// The same line of the same program goes on where it was stopped, at any instant and by whatever
/// means, and ends with the same bits as if it had not been: of the model, the optimiser, the
/// callbacks (those of weft, and others with a visit_state) and the history. Of a run that had
/// ended, fit returns the history at once; asked for more epochs, it goes on with those. Data,
/// model, trainer and options have to be the same. Checked before anything is changed are the names
/// and shapes of the parameters, the optimiser's type, the seed, the numbers of samples and of a
/// batch's, the scores, and that the callbacks have the same state; no more, so each call of fit
/// needs a file of its own.
///
/// The file is in the safetensors format, with the parameters as save_weights has them, so
/// load_weights reads it too; the rest is under "training/". It is written beside its place, and
/// put there when it is complete and on the disk: there is no instant without a whole checkpoint. A
/// check over all of it, CRC-32C, tells damage from data.
///
/// fit throws IoError, which names the file, when it cannot be written, cannot be read, is damaged,
/// or is of another run.
RunStore checkpoint_file(const std::filesystem::path& path, const CheckpointOptions& options = {});

namespace detail {

/// What checkpoint_file saves and loads; for the fuzzer also without the check over all.
void write_checkpoint(const std::filesystem::path& path, const RunState& state);
RunState read_checkpoint(const std::filesystem::path& path, bool with_check = true);

}  // namespace detail

}  // namespace weft
