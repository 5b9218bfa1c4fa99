#!/usr/bin/env python3
"""Proves on small trees that check_layers.py sees each broken rule, and no others."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import check_layers  # noqa: E402

LAYERS = """
tinta_module(core    LIBRARIES OpenSSL::Crypto)  # the floor
tinta_module(config  USES core)
tinta_module(kernels TORCH USES core config)
tinta_module(process TORCH USES kernels
             LIBRARIES ZLIB::ZLIB)
tinta_module(model   TORCH USES process)
tinta_module(studio  USES config)
"""


class CheckLayers(unittest.TestCase):
    def problems(self, files: dict[str, str], layers: str = LAYERS) -> list[str]:
        """What the check says of a tree with these files under src/tinta."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "src" / "tinta"
            every_module_has_a_header = {
                f"{m}/{m}.h": "#pragma once\n" for m in check_layers.read_modules(layers)}
            for name, text in {**every_module_has_a_header, **files}.items():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                (source / name).write_text(text)
            (source / "CMakeLists.txt").write_text(layers)
            return check_layers.check_tree(Path(folder))

    def assert_refused(self, files: dict[str, str], *parts: str, layers: str = LAYERS) -> None:
        problems = self.problems(files, layers)
        self.assertEqual(len(problems), 1, problems)
        for part in parts:
            self.assertIn(part, problems[0])

    def test_allowed_includes_pass(self):
        self.assertEqual(self.problems({
            "model/a.cpp": '#include <vector>\n#include <torch/torch.h>\n#include "tinta/model/model.h"\n'
                           '#include "tinta/process/process.h"\n#include "tinta/kernels/kernels.h"\n'
                           '#include "tinta/core/core.h"\n#include "tinta/config/config.h"\n',
            "studio/a.cpp": '#include <nlohmann/json.hpp>\n#include "tinta/core/core.h"\n',
        }), [])

    def test_an_upper_layer_is_refused_with_its_line(self):
        self.assert_refused({"process/a.cpp": '#include <vector>\n#include "tinta/model/model.h"\n'},
                            "tinta/process/a.cpp:2:", "it does not use model")

    def test_a_sideways_include_is_refused(self):
        self.assert_refused({"model/a.cpp": '#include "tinta/studio/studio.h"\n'},
                            "it does not use studio")

    def test_tests_are_held_to_the_layers_too(self):
        self.assert_refused({"kernels/a_test.cpp": '#include "tinta/process/process.h"\n'},
                            "tinta/kernels/a_test.cpp:1:")

    def test_core_may_not_use_config_though_everyone_else_may(self):
        self.assert_refused({"core/a.cpp": '#include "tinta/config/config.h"\n'},
                            "it does not use config")

    def test_spaces_in_the_directive_do_not_hide_it(self):
        self.assert_refused({"process/a.cpp": '  #  include "tinta/model/model.h"\n'},
                            "it does not use model")

    def test_torch_is_refused_where_it_is_not_declared(self):
        for header in ("ATen/ATen.h", "c10/util/ArrayRef.h", "torch/nn/module.h"):
            with self.subTest(header=header):
                self.assert_refused({"studio/a.cpp": f"#include <{header}>\n"}, "is without torch")

    def test_the_whole_of_torch_is_refused_in_a_header(self):
        self.assert_refused({"model/a.h": "#pragma once\n#include <torch/torch.h>\n"},
                            "must not include torch/torch.h")

    def test_a_relative_include_is_refused(self):
        self.assert_refused({"model/a.cpp": '#include "model.h"\n'}, "not a full path")

    def test_a_missing_header_is_refused(self):
        self.assert_refused({"model/a.cpp": '#include "tinta/model/gone.h"\n'}, "does not exist")

    def test_a_header_without_pragma_once_is_refused(self):
        self.assert_refused({"model/a.h": "int a();\n"}, "needs #pragma once")

    def test_an_undeclared_folder_is_refused(self):
        self.assert_refused({"attic/a.cpp": "int a;\n"}, "tinta/attic/a.cpp", "no folder")

    def test_only_the_engines_main_may_leave_the_front_of_the_command_line(self):
        layers = LAYERS + "tinta_module(experiment TORCH USES model)\n"
        layers += "tinta_programs(cli TORCH USES config experiment)\n"
        text = '#include <ATen/Parallel.h>\n#include "tinta/experiment/experiment.h"\n'
        self.assertEqual(self.problems({"cli/core_main.cpp": text}, layers), [])
        problems = self.problems({"cli/main.cpp": text}, layers)
        self.assertEqual(len(problems), 2, problems)
        self.assertIn("cli is without torch but includes ATen/Parallel.h", problems[0])
        self.assertIn("it does not use experiment", problems[1])

    def test_a_module_without_torch_may_not_use_one_with_it(self):
        self.assert_refused({}, "studio is without torch but uses kernels",
                            layers=LAYERS.replace("USES config)", "USES config kernels)"))

    def test_modules_that_use_each_other_are_refused(self):
        problems = self.problems({}, LAYERS.replace("USES kernels\n", "USES kernels model\n"))
        self.assertTrue(any("use each other" in problem for problem in problems), problems)

    def test_an_undeclared_use_is_refused(self):
        self.assert_refused({}, "uses cellar, which is not declared",
                            layers=LAYERS.replace("USES process)", "USES process cellar)"))


if __name__ == "__main__":
    unittest.main()
