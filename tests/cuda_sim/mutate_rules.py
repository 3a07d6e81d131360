"""What mutate.py spoils, the tests that it asks, and what no test can notice."""

# Those that have places.
FILES = [
    "src/cuda/*.cu",
    "src/cuda/*.cuh",
    "include/weft/training/detail/step_table.hpp",
    "include/weft/training/detail/training_step.hpp",
    "include/weft/training/detail/epoch_batches.hpp",
    "include/weft/training/detail/training_state.hpp",
    "include/weft/training/detail/parameter_rules.hpp",
    "include/weft/training/detail/parameter_check.hpp",
    "include/weft/training/detail/resident_data.hpp",
    "include/weft/training/detail/resident_samples.hpp",
    "include/weft/training/detail/fit_run.hpp",
    "include/weft/training/detail/recordings.hpp",
    "include/weft/training/detail/tally.hpp",
]

# Those that are copied whole: they include each other from the folder that they are in.
COPIED = ["src/cuda/*.cu", "src/cuda/*.cuh"]

# All that the tests' program is made of, beside the kernels.
TESTS = [
    "tests/main.cpp",
    "tests/core/cuda_test.cpp",
    "tests/support/*.cpp",
    "tests/support/once/*.cpp",
    "tests/kernels/cuda/*_test.cpp",
    "tests/cuda_*_test.cpp",
    # A fault of what devices share is the CPU's, too.
    "tests/training/accumulation_test.cpp",
    "tests/training/callback_test.cpp",
    "tests/training/fit_options_test.cpp",
    "tests/training/non_finite_guard_test.cpp",
    "tests/training/progress_test.cpp",
    "tests/training/resident_data_test.cpp",
    "tests/training/run_state_test.cpp",
    "tests/training/several_outputs_test.cpp",
    "tests/training/trainer_test.cpp",
    "tests/cuda_sim/orders.cpp",
    "tests/cuda_sim/training_test.cpp",
    "tests/cuda_sim/library_test.cpp",
    "tests/cuda_sim/sim/*.cpp",
]

# Files whose comparisons are spoilt.
COMPARED = r"src/cuda/|/(step_table|training_step|recordings)\.hpp"

# What a comparison becomes. Those of loops are not made true or false.
COMPARISONS = {
    "<": ["<=", "true"],
    "<=": ["<", "true"],
    ">": [">=", "false"],
    ">=": [">", "false"],
    "==": ["true", "false"],
    "!=": ["true", "false"],
}

CUDA = r"src/cuda/"
STEPS, STEP, DATA = r"step_table\.hpp", r"training_step\.hpp", r"resident_(data|samples)\.hpp"
BATCHES, STATE, PARAMETERS = r"epoch_batches\.hpp", r"training_state\.hpp", r"parameter_rules\.hpp"
FIT, RECORDINGS, TALLY = r"fit_run\.hpp", r"recordings\.hpp", r"/tally\.hpp"
CHECK = r"parameter_check\.hpp"

# kind, files, what is found, what it becomes
EXPRESSIONS = [
    ("atomic", CUDA, r"atomicAdd\(ticket, 1U\)", ["(*ticket)++", "*ticket"]),
    ("mask", CUDA, r"0xFFFFFFFFU", ["0xFFFFU", "0xFFFF0000U"]),
    ("distance", CUDA, r"(?<=int distance = )16", ["8"]),
    ("distance", CUDA, r"(?<=distance > )0", ["1"]),
    ("distance", CUDA, r"distance /= 2(?=\))", ["distance /= 4"]),
    ("distance", CUDA, r"half /= 2(?=\))", ["half /= 4"]),
    ("zero", CUDA, r"(?<= : )Scalar\(0\)(?=[;)])", ["Scalar(1)"]),
    ("zero", CUDA, r"Four<Scalar>\{\}", ["Four<Scalar>{1, 1, 1, 1}"]),
    ("zero", CUDA, r"(?<=(?:double|Scalar) sum = )0(?=;)", ["1"]),
    ("zero", r"/reduce\.", r"(?<= : )0(?=\);)", ["1"]),
    ("stopped", CUDA, r"(?:step\.)?is_stopped\([^()]*\)", ["false"]),
    ("second stage", CUDA, r"!is_last_block\([^()]*\)", ["false"]),
    ("64 bits", CUDA, r"std::uint64_t\{d\.multiplier_\} \* static_cast<unsigned>\(n\)",
     ["std::uint64_t{d.multiplier_ * static_cast<unsigned>(n)}"]),
    ("ticket", r"context\.cu$", r"check\(cudaMemsetAsync\(tickets, 0,[^;]*(?=;)", ["void()"]),
    ("order", r"merge\.cu$", r"(?<=samples\[)\*first", ["0"]),
    ("step table", STEPS, r"row_\.data\(\)(?=;)", ["rows_.data()"]),
    ("step table", STEPS, r"static_cast<std::uint32_t>\(step\)", ["static_cast<std::uint32_t>(first_)"]),
    ("step table", STEPS, r"\(step - epoch_begin_\)", ["(first_ - epoch_begin_)", "(step)"]),
    ("step table", STEPS, r"(?<=write_step\()step \+ 1", ["first_ + 1", "step"]),
    ("step table", STEPS, r"(?<=step \+ 1, )rate", ["rates_[0]"]),
    ("step table", STEPS, r"(?<=\? )state\.next_rate\(options, step\)", ["ahead_rate(options, state, step)"]),
    ("step table", STEPS, r"(?<== )first_step", ["0"]),
    ("step", STEP, r"steps_\.step\(\)\.number(?=,)", ["nullptr"]),
    ("step", STEP, r"(?<=first_sample = )part\.first", ["0"]),
    ("step", STEP, r"(?<=step_samples = )part\.update_samples", ["std::ssize(part.samples)"]),
    ("step", STATE, r"(?<=\{numbers, )wrong(?=, factor)", ["nullptr"]),
    ("step", STATE, r"(?<=\{numbers, wrong, )factor", ["nullptr"]),
    ("step", STATE, r"(?<=model, )wrong(?=\);)", ["nullptr"]),
    ("step", STEP, r"(?<=score\(part, )tally_\.wrong\(\)", ["nullptr"]),
    ("step", CHECK, r"(?<=wrong, )was_wrong_\.data\(\)", ["nullptr"]),
    ("recording", BATCHES, r"(?<=return \{)std::ssize\(samples\)(?=, first)", ["0"]),
    ("recording", BATCHES, r"(?<=update_samples, )updates(?=\};)", ["1"]),
    ("recording", STEP, r"(?<= )steps_\.steps_ahead\([^;]*\)(?=\);)", ["most"]),
    ("recording", BATCHES, r"(?<=\(samples\), )first(?=, update)", ["0"]),
    ("recording", BATCHES, r"(?<=first, )update_samples(?=, updates\};)", ["0"]),
    ("order", r"src/cuda/step\.cu$", r"\*reinterpret_cast<const std::int32_t\*>\(row \+ step\.first_sample\)", ["0"]),
    ("order", DATA, r"order_\.data\(\) \+ behind", ["order_.data()"]),
    ("step", DATA, r"behind == 0", ["true", "false"]),
]

# kind, files, what is left out
STATEMENTS = [
    ("barrier", CUDA, r"__syncthreads\(\);"),
    ("second stream", CUDA, r"beside_->(?:forked|joined)\.order\([^;]*\);"),
    ("second stream", CUDA, r"second->forked\.order\([^;]*\);"),
    ("second stream", CUDA, r"beside_->is_used = true;"),
    ("second stream", CUDA, r"beside_->device\.recording_\.reset\(\);"),
    ("second stream", CUDA, r"check\(cudaStreamWaitEvent\([^;]*\);"),
    ("barrier", CUDA, r"__syncwarp\(\);"),
    ("fence", CUDA, r"__threadfence\(\);"),
    ("ticket", CUDA, r"if \(is_last\) \*ticket = 0;"),
    ("second stage", CUDA, r"sums = \{\};"),
    ("range", CUDA, r"(?<=[;{} ]\n)    +(?:for [^\n]*\) )?(?:cuda::)?narrow\([^;]*\);"),
    ("step table", STEPS, r"copy_next_row\([^;]*\);"),
    ("step table", STEPS, r"count_ = 0;"),
    ("step table", STEPS, r"rows_\.send\(device, count_\);"),
    ("step table", STEPS, r"taken_on_device_\.(?:host\(\)\[0\] = 0|send\(device, 1\));"),
    ("step table", STEPS, r"first_ = state\.steps;"),
    ("step", STEP, r"steps_\.take\(device\(\)\);"),
    ("step", STEP, r"(?<=device\(\)\);\n)        stage_weights\([^;]*\);"),
    ("step", STEP, r"copy_elements<Scalar>\([^;]*\);"),
    ("step", STEP, r"check_finite<Scalar>\([^;]*\);"),
    ("step", FIT, r"step_\.check_parameters\(\);"),
    ("step", STEP, r"tally_\.(?:finish_batch\(device\(\)\)|changed\(\));"),
    ("step", STEP, r"take_back_state\(\);"),
    ("step", STEP, r"undo_if_wrong<Scalar>\([^;]*\);"),
    ("step", STATE, r"(?<=\n)        options\.optimizer->update\([^;]*\);"),
    ("step", STATE, r"apply_constraints<[^;]*\);"),
    ("step", PARAMETERS, r"finish_gradients<[^;]*\);(?=\s*return)"),
    ("step", PARAMETERS, r"(?<=\n    )run\(\);"),
    ("step", PARAMETERS, r"(?<=\n        )count = 0;"),
    ("order", DATA, r"order_\.send\([^;]*\);"),
    ("order", DATA, r"copy_to_device<Scalar>\([^;]*\);"),
    ("recording", RECORDINGS, r"entry->was_run = true;\s*return body\(\);"),
    ("tally", TALLY, r"record_\.(?:send|fetch)\([^;]*\);"),
    ("tally", TALLY, r"(?<=\n        )is_read_ = false;"),
    ("tally", TALLY, r"std::fill_n\([^;]*\);"),
]

# kind, files, name, (what is found, what it becomes)...: all of one place
EDITS = [
    ("recording", STEP, "the host's part before a step is done where it is recorded",
     [(r"const auto body = \[&\] \{", "const auto body = [&] { if ({s}) prepare(part, steps);"),
      (r"prepare\(part, steps\);(?=\s*recordings_)", "if (!{s}) prepare(part, steps);")]),
    ("recording", STEP, "the host's part behind a step is done where it is recorded",
     [(r" {16}compute\(part\);\n {12}\}", "{old} if ({s}) finish(part, steps);"),
      (r"(?<=body\);\n)        finish\(part, steps\);", "if (!{s}) finish(part, steps);")]),
    ("order", FIT, "the order of the first epoch stays",
     [(r"if \(resident_\)(?=\s*resident_->begin_epoch)",
       "if (resident_ && !({s} && progress_.epoch > 1))")]),
]

# files, kind and what, why. Not among the places: conversions to Index, which take 2^31 elements to
# matter, and volatile, which takes a cache.
SEQUENTIAL = (
    "the simulator runs one block after another in memory that is one, so each block sees all of those "
    "before it: it takes a GPU"
)
TWICE = "another check refuses the same"
SAME = "the result is the same: "
NOTHING = "CUDA's functions refuse to free nothing, and nobody asks"
CHOICE = SAME + "a choice of speed alone"
EXCEPTIONS = [
    (r"/context\.cu$", r"(status != cudaSuccess|count == 0)  ->  false", "each says what the other does"),
    (r"/(context|recording)\.cu$", r"(part\.sent|part\.memory|tickets|pool|graph|stream) != nullptr  ->  true", NOTHING),
    (r"/context\.cu$", r"done < size_bytes  ->", SAME + "a copy of 0 bytes more"),
    (r"/context\.cu$", r"(size_bytes|size_) == 0  ->  false", SAME + "0 bytes are set or copied"),
    (r"/context\.cu$", r"stream == nullptr  ->  false", SAME + "what never began has nothing to end"),
    (r"/context\.cu$", r"cudaEventQuery.*  ->  true", SAME + "it is waited for, done or not"),
    (r"/context\.cuh", r"before_ != gpu_  ->  true", SAME + "the GPU is made current that is"),
    (r"/convolution\.cu", r"(y|dx)\.size\(\) == 0  ->  false", TWICE),
    (r"/pooling\.cu", r"^range: .*narrow\(dy\.size", TWICE + ": dx has as many elements or more"),
    (r"/dense\.cu", r"activation == softmax  ->  false", SAME + "to the end of a product softmax is linear"),
    (r"/image\.cu", r"x < low  ->  x <= low|high < x  ->  high <= x", SAME + "at the limit both are the limit"),
    (r"/library_products\.", r"epilogue == CUBLASLT_EPILOGUE_BIAS  ->  true", SAME + "others do not read the bias, or set theirs behind it"),
    (r"/dropping\.", r">= threshold  ->  .* > threshold", "one random word in 2^32 is the threshold"),
    (r"/columns\.", r"width < (most_width|columns)  ->", SAME + "only how a block is cut"),
    (r"/product\.cuh", r"tiles_of<Tile>|(shape\.rows|shape\.columns) [<>]=? ?\w+Tile::|TallTile::columns\) % 2", CHOICE),
    (r"/product\.cuh", r"shape\.(columns|groups) == 0  ->  false", TWICE),
    (r"/training_step\.", r"gradient_accumulation_steps > 1  ->", SAME + "memory that nothing uses"),
    (r"/training_step\.", r"where == Wrong::gradient  ->  true", SAME + "batches before are looked through, too"),
    (r"/training_step\.", r"i \+ 1 != last  ->  true", SAME + "the batch is read again"),
    (r"/training_step\.", r"state_\.learning_rate != rate_  ->  true", SAME + "the row of the step is written again"),
    (r"/training_step\.", r"state_before_\.size\(\) == 0  ->  false", SAME + "no number is copied"),
    (r"/training_step\.", r"where != Wrong::gradient  ->  true", SAME + "where a gradient is the first that is wrong, its inputs and targets are right"),
    (r"/epoch_batches\.", r"std::ssize\(samples\)  ->  0", SAME + "the first sample and those of the update tell how many there are"),
    (r"/recordings\.", r"i < count_  ->  i <= count_", "a key of zeros, or behind the last: only the address sanitizer sees it"),
    (r"/tally\.", r"^tally: without is_read_ = false; before return \{at\(0\)", TWICE.replace("refuses", "says")),
    (r"/tally\.", r"^tally: without is_read_ = false; before \}", SAME + "the host has the numbers that it sends"),
    (r"/tally\.", r"^tally: without std::fill_n", SAME + "each place is 0 there, or written before it is read"),
    (r"/last_block\.", r"^fence:", SEQUENTIAL),
    (r"/last_block\.", r"^barrier: .* before if", SEQUENTIAL),
    (r"/last_block\.", r"^atomic: .*\(\*ticket\)\+\+", SEQUENTIAL),
    (r"/reduce\.", r"^barrier: .* before if \(lane", SAME + "is_last_block lies between two sums"),
    (r"/columns\.", r"^barrier: .* before for \(int k", SAME + "is_last_block lies between two sums"),
    (r"/moments\.", r"^barrier: .* before for \(int k", SAME + "is_last_block lies between two sums"),
    (r"/reduce\.", r"threadIdx\.x != 0  ->  false", SAME + "only the first thread's sum is used"),
    (r"/(reduce|columns|score)\.", r"gridDim\.[xy] > 1  ->  gridDim\.[xy] >= 1", SAME + "one block is the last"),
    (r"/convolution\.cu", r"^range: without cuda::narrow\((y|dx|dw)\.size", TWICE),
    (r"/dense\.cu", r"^range: .*narrow\(w\.size.* before const auto of_w", TWICE),
    (r"/product\.cuh", r"^range: .*Index\{shape\.rows\}", TWICE),
    (r"/library_products\.", r"(library\.)?handle [!=]= nullptr  ->  ", "only a handle more, or one that stays"),
    (r"/library_products\.", r"count > 0|found\.state ==", "each says what the other does"),
    (r"/library_products\.", r"known != .*  ->  false", SAME + "it chooses the same again"),
    (r"/library_products\.", r"scratch_bytes > 0  ->  .*>=", SAME + "scratch of 0 bytes is none"),
    (r"/library_products\.", r"(linear|out\.relu == nullptr)  ->  false", SAME + "a pass that changes nothing"),
    (r"/library_products\.", r"column_sums != nullptr  ->  ", "once of two, it is only known by: how far it is aligned"),
    (r"/dropout\.cu", r"count == 0  ->  false", SAME + "no thread has an element"),
    (r"/dropout\.cu", r">= threshold  ->  .* > threshold", "one random word in 2^32 is the threshold"),
    (r"/row\.", r"^barrier: .* before if \(rank % 32",
     "a warp comes back only behind shuffles, in which the simulator runs all other threads"),
    (r"/layout\.cu", r"x\.data\(\) == y\.data\(\)  ->  false", SAME + "a copy onto itself"),
    (r"/layout\.cu", r"n < samples  ->", SAME + "a grid without blocks is not launched"),
    (r"/penalty\.cu", r"value (> most  ->  value >=|< -most  ->  value <=)", SAME + "at the limit both are the limit"),
    (r"/penalty\.cu", r"norm > limit  ->  norm >=|\*factor != 1  ->  true", SAME + "the factor is 1"),
    (r"/penalty\.cu", r"limit < norm  ->  limit <=", SAME + "the limit is the norm"),
    (r"/penalty\.cu", r"width < columns  ->", SAME + "only how a block is cut"),
    (r"/gradients\.cu", r"k < rules\.penalties\.count  ->  k <=", SAME + "none is behind the last"),
    (r"/gradients\.cu", r"g (> rules\.most  ->  g >=|< -rules\.most  ->  g <=)", SAME + "at the limit both are the limit"),
    (r"/gradients\.cu", r"g != before  ->  true", SAME + "it is written again"),
    (r"/gradients\.cu", r"norm > rules\.norm  ->  norm >=|\*factor != 1  ->  true", SAME + "the factor is 1"),
    (r"/optimizer\.cu", r"\*step\.factor == 1  ->  false", SAME + "the factor is 1"),
    (r"/step_table\.", r"taken_on_device_\.host\(\)", SAME + "it is 0, and nothing else is sent"),
    (r"/window\.", r"first >= 0  ->  (first > 0|false)", SAME + "a short way to the same count"),
    (r"/window\.", r"at < last_tap  ->  at <=", SAME + "the first output is 0 on both sides"),
    (r"/argmax\.", r"at < place  ->  at <= place", SAME + "of one place there is one element"),
    (r"/(batch_norm\.cu|moments\.cuh|pooling\.cu)", r"rows == 0  ->  false", SAME + "there is no row that it is used for"),
    (r"/loss\.cu", r"x < low \? low|x < low  ->  x <= low", SAME + "at the limit both are the limit"),
    (r"/loss\.cu", r"team\.rank == 0  ->  true", SAME + "all threads have the sum, and write it"),
    (r"/loss\.cu", r"z >= 0  ->  z > 0|z > 0  ->  z >= 0", SAME + "both sides meet at 0"),
]
