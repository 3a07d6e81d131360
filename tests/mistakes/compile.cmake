# The frequent mistakes of docs/mistakes.md that a compiler finds: what it says in its first lines helps.
#   cmake -D CXX=<compiler> -D WEFT=<source> -D EIGEN=<include> -D WORK=<folder> -P compile.cmake
cmake_minimum_required(VERSION 3.24)

execute_process(COMMAND "${CXX}" --version OUTPUT_VARIABLE version)
if(NOT version MATCHES "Free Software Foundation")
    message(STATUS "skipped: the sentences are g++'s")
    return()
endif()
set(ENV{LC_ALL} C)
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
set(start "#include <Eigen/Core>
#include <weft/weft.hpp>
#include <vector>
using namespace weft;
struct Mine { float factor; };
")
set(all "${start}")
set(failed "")
set(count 0)

# look(<case> <expected> <statements> <messages>): the lines from the first that names the case on. What
# is found in a template comes just before it.
function(look case expected statements messages)
    string(REPLACE ";" ":" lines "${messages}")
    string(REPLACE "[" "(" lines "${lines}") # which would join elements of a list
    string(REPLACE "]" ")" lines "${lines}")
    string(REPLACE "\n" ";" lines "${lines}")
    set(shown "")
    set(more 0)
    foreach(line IN LISTS lines)
        if(more EQUAL 0 AND shown STREQUAL "" AND line MATCHES "(^| )${case}:")
            set(more 16)
        endif()
        if(line MATCHES "^case_[0-9]+:" AND NOT line MATCHES "^${case}:")
            set(more 0)
        endif()
        if(more GREATER 0)
            string(APPEND shown "${line}\n")
            math(EXPR more "${more} - 1")
        endif()
    endforeach()
    if(NOT shown MATCHES "${expected}")
        message(STATUS "expected \"${expected}\" of: ${statements}\n${shown}")
        set(failed "${failed}\n${statements}" PARENT_SCOPE)
    endif()
endfunction()

# compile(<name> <source>): writes to the variable messages what the compiler says.
function(compile name source)
    file(WRITE "${WORK}/${name}.cpp" "${source}")
    execute_process(
        COMMAND "${CXX}" -std=c++20 -fsyntax-only -fmax-errors=0 -I "${WEFT}/include" -I "${WEFT}"
                -isystem "${EIGEN}" "${WORK}/${name}.cpp"
        ERROR_VARIABLE error
    )
    set(messages "${error}" PARENT_SCOPE)
endfunction()

# mistake(<what the first lines have to match> <statements> [ALONE])
# All mistakes are compiled together, each as a file of its own to the compiler; ALONE those of grammar.
function(mistake expected statements)
    set(function "#line 1 \"case_${count}\"
void f${count}(Tensor<float>& x, Tensor<int>& labels, Tensor<double>& doubles, Sequential<float>& model, Trainer<float, Cpu>& trainer) {
${statements}
}
")
    if(ARGC GREATER 2)
        compile(alone "${start}${function}")
        look("case_${count}" "${expected}" "${statements}" "${messages}")
    else()
        set(all "${all}${function}" PARENT_SCOPE)
        set("case_${count}" "${statements}" PARENT_SCOPE)
        set("expected_${count}" "${expected}" PARENT_SCOPE)
    endif()
    set(failed "${failed}" PARENT_SCOPE)
    math(EXPR count "${count} + 1")
    set(count ${count} PARENT_SCOPE)
endfunction()

# A field's name, a field's place, a comma, braces.
mistake("'weft::Dense' has no non-static data member named 'unit'" "Sequential m{Dense{.unit = 10}};")
mistake("designator order for field 'weft::Dense::units'" "Sequential m{Dense{.activation = relu, .units = 10}};")
mistake("expected '}' before 'Dense'" "Sequential m{Flatten{} Dense{10}};" ALONE)
mistake("expected primary-expression before ',' token" "Sequential m{Flatten, Dense{10}};" ALONE)
mistake("narrowing conversion of" "Sequential m{Dense{.units = 0.5}};")

# Names in quotes, as in Keras.
mistake("could not convert '\"relu\"' from 'const char .5.' to 'weft::Activation'" "Sequential m{Dense{.units = 10, .activation = \"relu\"}};")
mistake("a loss is MeanSquaredError{}" "Trainer t(model, {.loss = \"mse\"});")
mistake("an optimizer is Adam{}" "Trainer t(model, {.optimizer = \"adam\", .loss = MeanSquaredError{}});")

# What is no layer, no data, no options, or another type of number.
mistake("a Sequential is made of declarations of layers" "Sequential m{Flatten{}, Mine{}};")
mistake("use of deleted function.*// a model is called: Model m.x, inner" "Sequential m{Dense{8}, model};")
mistake("use of deleted function.*// a model is called: Model m.x, inner" "Sequential<float> m{model, Dense{8}};")
mistake("the loss is missing" "Trainer t(model);")
mistake("the loss is missing" "Trainer t(model, {});")
mistake("the loss is missing" "Trainer t(model, {.metrics = {Accuracy{}}});")
mistake("const, or temporary" "const Sequential m{Dense{10}}; Trainer t(m, {.loss = MeanSquaredError{}});")
mistake("const, or temporary" "Trainer t(Sequential{Dense{10}}, {.loss = MeanSquaredError{}});")
mistake("this argument is not data: expected a weft::Tensor" "model.predict(5);")
mistake("the data have another number type than the model" "model.predict(doubles);")
mistake("have to be copied into one weft::Tensor" "std::vector<std::vector<float>> v; trainer.fit(v, labels);")
mistake("weft's tensors are row-major" "Eigen::MatrixXf a(3, 4); model.predict(a);")

# A wrong name or type in a braced list. The compiler does not name it; it shows the line that says what does.
set(in_trainer "// misspelt. TrainerOptions<float, Cpu>{...}")
set(in_fit "// misspelt. FitOptions<float>{...}")
mistake("${in_trainer}" "Trainer t(model, {.los = MeanSquaredError{}});")
mistake("${in_trainer}" "Trainer t(model, {.loss = MeanSquaredError{}, .metric = {Accuracy{}}});")
mistake("${in_trainer}" "Trainer t(model, {.loss = MeanSquaredError{}, .metrics = Accuracy{}});")
mistake("${in_fit}" "trainer.fit(x, labels, {.epoch = 3});")
mistake("'weft::TrainerOptions<.*>' has no non-static data member named 'los'" "TrainerOptions<float, Cpu>{.los = MeanSquaredError{}};")
mistake("'weft::TrainerOptions<.*>' has no non-static data member named 'metric'" "TrainerOptions<float, Cpu> options{.loss = MeanSquaredError{}, .metric = {Accuracy{}}};")
mistake("could not convert .* 'weft::Accuracy' to 'std::vector" "TrainerOptions<float, Cpu>{.loss = MeanSquaredError{}, .metrics = Accuracy{}};")
mistake("'weft::FitOptions<float>' has no non-static data member named 'epoch'" "FitOptions<float> options{.epoch = 3};")
mistake("FitOptions<float>" "trainer.fit(x, labels, 3);")

# What is written as in other libraries, or in other brackets.
mistake("call of overloaded .Sequential.* is ambiguous.*// .{...}.. Sequential model{...}:" "Sequential m({Flatten{}, Dense{10}});")
mistake("// no targets: fit.x, y." "trainer.fit(x);")
mistake("// no targets: fit.x, y." "trainer.fit(x, {.epochs = 3});")
mistake("no matching function for call to 'weft::Tensor<float>::Tensor.int, int.'.*// .{3, 4}.," "Tensor<float> t(3, 4);")
mistake("could not convert '{1, 2, 3}'" "Tensor<float> t = {1, 2, 3};")
mistake("'class weft::Scores' has no member named 'accuracy'" "trainer.evaluate(x, labels).accuracy;")
mistake("has no member named 'fit'" "model.fit(x, labels);")

# clang has its own sentences, but shows the same lines and the same words of weft's.
find_program(CLANG clang++)
set(clang_all "${start}")
set(clang_count 0)
function(clang_mistake expected statements)
    string(APPEND clang_all "#line 1 \"case_${clang_count}\"
void f${clang_count}(Tensor<float>& x, Tensor<int>& labels, Tensor<double>& doubles, Sequential<float>& model, Trainer<float, Cpu>& trainer) {
${statements}
}
")
    set(clang_all "${clang_all}" PARENT_SCOPE)
    set(clang_expected_${clang_count} "${expected}" PARENT_SCOPE)
    set(clang_statements_${clang_count} "${statements}" PARENT_SCOPE)
    math(EXPR clang_count "${clang_count} + 1")
    set(clang_count ${clang_count} PARENT_SCOPE)
endfunction()
clang_mistake("${in_trainer}" "Trainer t(model, {.los = 1});")
clang_mistake("${in_fit}" "trainer.fit(x, labels, {.epoch = 3});")
clang_mistake("field designator 'unit' does not refer to any field" "Sequential m{Dense{.unit = 10}};")
clang_mistake("no viable conversion from 'const char.*' to 'weft::Activation'" "Sequential m{Dense{.units = 10, .activation = \"relu\"}};")
clang_mistake("the loss is missing" "Trainer t(model);")
clang_mistake("const, or temporary" "Trainer t(Sequential{Dense{10}}, {.loss = MeanSquaredError{}});")
clang_mistake("// one of them is not a layer" "Sequential m{Flatten{}, Mine{}};")
clang_mistake("// a model is called: Model m.x, inner" "Sequential m{Dense{8}, model};")
clang_mistake("this argument is not data: expected a weft::Tensor" "model.predict(5);")
clang_mistake("the data have another number type than the model" "model.predict(doubles);")
clang_mistake("weft's tensors are row-major" "Eigen::MatrixXf a(3, 4); model.predict(a);")
clang_mistake("is ambiguous" "Sequential m({Flatten{}, Dense{10}});")
clang_mistake("// no targets: fit.x, y." "trainer.fit(x);")
clang_mistake("// .{3, 4}.," "Tensor<float> t(3, 4);")
clang_mistake("no member named 'accuracy' in 'weft::Scores'" "trainer.evaluate(x, labels).accuracy;")
clang_mistake("no member named 'fit' in 'weft::Sequential<" "model.fit(x, labels);")
if(CLANG)
    file(WRITE "${WORK}/clang.cpp" "${clang_all}")
    execute_process(
        COMMAND "${CLANG}" -std=c++20 -fsyntax-only -ferror-limit=0 -I "${WEFT}/include" -isystem "${EIGEN}"
                "${WORK}/clang.cpp"
        ERROR_VARIABLE error
    )
    # An error, with the notes behind it, is about the case that they name.
    string(REGEX REPLACE "[][;]" ":" error "${error}")
    string(REGEX REPLACE "\n([^\n]+: error: )" ";\\1" error "${error}")
    math(EXPR last "${clang_count} - 1")
    foreach(case RANGE ${last})
        set(shown "${error}")
        list(FILTER shown INCLUDE REGEX "case_${case}:")
        if(NOT shown MATCHES "${clang_expected_${case}}")
            message(STATUS "expected \"${clang_expected_${case}}\" of: ${clang_statements_${case}}\n${shown}")
            set(failed "${failed}\nclang: ${clang_statements_${case}}")
        endif()
    endforeach()
endif()

# A device that lacks a kernel: the definitions of all kernels, but one of another name.
compile(device "#include <weft/weft.hpp>
#define pad_images other_images
#include \"tests/support/reference/kernels.hpp\"
void f(weft::Sequential<float, weft::Reference>& model) { model.build({2}); }
")
foreach(expected IN ITEMS "the device lacks a kernel\n" "the required expression 'pad_images<")
    if(NOT messages MATCHES "${expected}")
        message(STATUS "expected \"${expected}\" of a device without pad_images\n${messages}")
        set(failed "${failed}\na device without pad_images")
    endif()
endforeach()
string(REGEX MATCHALL " error: " errors "${messages}")
list(LENGTH errors error_count)
if(NOT error_count EQUAL 1)
    message(STATUS "expected one error of a device without pad_images, found ${error_count}\n${messages}")
    set(failed "${failed}\nthe errors of a device without pad_images")
endif()

compile(all "${all}")
math(EXPR last "${count} - 1")
foreach(case RANGE ${last})
    if(DEFINED case_${case})
        look("case_${case}" "${expected_${case}}" "${case_${case}}" "${messages}")
    endif()
endforeach()
if(failed)
    message(FATAL_ERROR "not understood:${failed}")
endif()
