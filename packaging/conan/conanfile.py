"""A Conan recipe of the copy of weft that it lies in:  conan create weft/packaging/conan --build=missing"""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class Weft(ConanFile):
    name = "weft"
    description = "A header-only C++20 library of neural networks"
    license = "MIT"
    topics = ("neural-networks", "deep-learning", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"data": [True, False], "image": [True, False], "io": [True, False], "kernels": [True, False]}
    default_options = {"data": True, "image": False, "io": True, "kernels": False}

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._root, "include", "weft", "version.hpp"))
        self.version = re.search(r'define WEFT_VERSION "(.+)"', header)[1]

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*", "packaging/debuggers/*"):
            copy(self, pattern, self._root, self.export_sources_folder)

    def configure(self):
        if self.options.kernels:
            self.package_type = "static-library"

    def requirements(self):
        self.requires("eigen/[>=3.4.0 <6]", transitive_headers=True)
        if self.options.data:
            self.requires("zlib/[>=1.2.11 <2]", transitive_headers=True)
        if self.options.image:
            self.requires("libpng/[>=1.6 <2]", transitive_headers=True)
            self.requires("libjpeg-turbo/[>=2.1 <4]", transitive_headers=True)
        if self.options.io:
            self.requires("nlohmann_json/[>=3.7 <4]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def package_id(self):
        # Headers, and sources that the user's project compiles: the same for every compiler.
        if not self.info.options.kernels:
            self.info.settings.clear()

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            toolchain.cache_variables[f"WEFT_{part}"] = False
        toolchain.cache_variables["WEFT_KERNELS"] = bool(self.options.kernels)
        # A part is left out by not finding what it needs.
        for part, package in (("data", "ZLIB"), ("image", "PNG"), ("io", "nlohmann_json")):
            if not self.options.get_safe(part):
                toolchain.cache_variables[f"CMAKE_DISABLE_FIND_PACKAGE_{package}"] = True
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        if self.options.kernels:
            cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # find_package(weft) finds weft's own file, which knows the parts.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("share", "cmake", "weft")]
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
