"""mobilenet-run on a tiny real package: what it prints, and every way in which its input can be wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tiny_network import forward
from tiny_package import PREPROCESSING, Package, Run, run_program

from mobilenet_tvm.model.preprocessing import preprocess
from mobilenet_tvm.native.runner_build import runner_codecs


def assert_user_error(run: Run, *parts: str) -> None:
    """Exit code 2, nothing on standard output, one line on standard error that says ``parts``."""
    assert run.code == 2, run
    assert run.out == ""
    assert run.error.startswith("mobilenet-run: ") and run.error.count("\n") == 1, run.error
    for part in parts:
        assert part in run.error


def picture(side: int = 50) -> Image.Image:
    pixels = np.random.default_rng(3).integers(0, 256, (side, side + 9, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def expected_top(x: NDArray[np.float32]) -> list[int]:
    scores = forward(x)[0]
    return [int(i) for i in np.argsort(-scores)]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    if "png" not in runner_codecs():
        pytest.skip("mobilenet-run was built without PNG and JPEG (Debian: apt install libstb-dev)")
    folder = tmp_path_factory.mktemp("images")
    paths = {suffix: folder / f"noise.{suffix}" for suffix in ("png", "ppm", "jpg", "npy")}
    for suffix in ("png", "ppm"):
        picture().save(paths[suffix])
    picture().save(paths["jpg"], quality=95)
    np.save(paths["npy"], preprocess(picture(), PREPROCESSING))
    return paths


class TestClassifies:
    def test_every_format(self, pristine: Package, images: dict[str, Path]) -> None:
        run = pristine.run(*images.values(), "--json", "--top", 10)
        assert (run.code, run.error) == (0, "")
        report = run.json
        assert report["model"] == "tiny"
        assert report["target"] == "x86-64-v3"
        assert report["threads"] == 1
        assert report["package"] == str(pristine.folder)
        for result, path in zip(report["results"], images.values(), strict=True):
            assert result["image"] == str(path)
            x = np.load(path) if path.suffix == ".npy" else preprocess(path, PREPROCESSING)
            scores = forward(x)[0].astype(np.float64)
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            tolerance = 0.02 if path.suffix == ".jpg" else 1e-5
            for entry in result["top"]:
                assert entry["probability"] == pytest.approx(shares[entry["class_id"]], abs=tolerance)
                assert entry["label"] == pristine.manifest["labels"][entry["class_id"]]
            assert result["latency_ms"]["runs"] == 1
            if path.suffix != ".jpg":
                assert [e["class_id"] for e in result["top"]] == expected_top(x)

    def test_text(self, pristine: Package, images: dict[str, Path]) -> None:
        run = pristine.run(images["ppm"], "--repeat", 5, "--threads", 2)
        lines = run.out.splitlines()
        assert run.code == 0
        assert lines[0] == str(images["ppm"])
        assert len(lines) == 7
        best = expected_top(preprocess(images["ppm"], PREPROCESSING))[0]
        assert lines[1].split(maxsplit=3)[0] == "1" and lines[1].endswith(pristine.manifest["labels"][best])
        assert "median" in lines[6] and "(5 runs)" in lines[6] and "2 threads" in lines[6]

    def test_network_without_labels(self, package: Package, images: dict[str, Path]) -> None:
        package.write_manifest({**package.manifest, "labels": None})
        top = package.run(images["npy"], "--json").json["results"][0]["top"]
        assert top[0]["label"] == f"class {top[0]['class_id']}"

    def test_batch(self, pristine_batch_of_two: Package, images: dict[str, Path], tmp_path: Path) -> None:
        batch = np.random.default_rng(5).normal(size=(2, 3, 32, 32)).astype(np.float32)
        np.save(tmp_path / "two.npy", batch)
        report = pristine_batch_of_two.run(tmp_path / "two.npy", images["png"], "--json", "--top", 10).json
        first, second, single = report["results"]
        assert first["image"].endswith("two.npy[0]") and second["image"].endswith("two.npy[1]")
        for result, x in ((first, batch[:1]), (second, batch[1:])):
            assert [e["class_id"] for e in result["top"]] == expected_top(x)
        assert single["image"] == str(images["png"])

    def test_grey_and_transparent_images(self, pristine: Package, tmp_path: Path) -> None:
        colour = picture()
        for mode in ("L", "LA", "RGBA", "P", "1"):
            path = tmp_path / f"{mode}.png"
            colour.convert(mode).save(path)
            run = pristine.run(path, "--json", "--top", 10)
            assert run.code == 0, run.error
            ours = [e["class_id"] for e in run.json["results"][0]["top"]]
            assert ours == expected_top(preprocess(path, PREPROCESSING)), mode


class TestMeasures:
    def test_self_test(self, pristine: Package) -> None:
        run = pristine.run("--self-test", "--json")
        assert run.code == 0, run.error
        result = run.json["self_test"]
        assert result["passed"] and result["top1_agrees"] and result["top5_agrees"]
        assert result["relative_err"] == pytest.approx(result["max_abs_err"] / result["output_range"])
        assert result["relative_err"] < 1e-5
        assert "passed" in pristine.run("--self-test").out

    def test_self_test_fails_on_other_numbers(self, package: Package) -> None:
        reference = dict(np.load(package.folder / "reference.npz"))
        reference["y2"] = reference["y2"].copy()
        reference["y2"][0, 3] += 1e-3 * np.ptp(np.stack([reference[f"y{i}"] for i in range(3)]))
        np.savez(package.folder / "reference.npz", **reference)
        package.seal()
        run = package.run("--self-test", "--json")
        assert run.code == 1
        assert run.json["self_test"]["passed"] is False
        assert run.json["self_test"]["relative_err"] == pytest.approx(1e-3, rel=0.1)
        package.write_manifest({**package.manifest, "tolerance": 0.1})
        assert package.run("--self-test").code == 0

    def test_bench(self, pristine: Package) -> None:
        run = pristine.run("--repeat", 20, "--json")
        bench = run.json["bench"]
        assert bench["runs"] == len(bench["times_ms"]) == 20
        assert bench["min_ms"] == min(bench["times_ms"])
        assert bench["median_ms"] == pytest.approx(np.median(bench["times_ms"]), rel=1e-6)
        assert bench["p90_ms"] == pytest.approx(np.percentile(bench["times_ms"], 90), rel=1e-6)
        assert "median" in pristine.run("--repeat", 3).out

    def test_profile(self, pristine: Package) -> None:
        """Calls come in the order of execution; together they take what the whole takes, less the VM's own steps."""
        profile = pristine.run("--repeat", 20, "--profile", "--json").json["profile"]
        assert profile["runs"] == 20
        assert profile["median_ms"] > 0
        assert profile["peak_gmacs"] == profile["peaks"]["float32"] > 1
        names = [call["name"] for call in profile["calls"]]
        assert any(not name.startswith("vm.builtin") for name in names)
        assert all(call["median_ms"] >= 0 for call in profile["calls"])
        assert "peak of one core" in pristine.run("--repeat", 3, "--profile").out

    def test_threads_are_what_was_asked_for(self, pristine: Package) -> None:
        """TVM starts one worker fewer than it has threads, the first time that a kernel runs in parallel."""
        program = pristine.folder / "bin/mobilenet-run"
        for threads in (1, 2):
            command = [str(program), str(pristine.folder), "--repeat", "1000000", "--threads", str(threads)]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
                time.sleep(1)
                seen = len(os.listdir(f"/proc/{process.pid}/task"))
                process.kill()
            assert seen == threads


class TestSays:
    def test_version_and_help(self, pristine: Package) -> None:
        program = pristine.folder / "bin/mobilenet-run"
        from mobilenet_tvm import __version__

        version = run_program(program, "--version").out
        assert version.startswith(f"mobilenet-run {__version__} (x86_64)\n")
        assert "codecs: " in version
        assert "--self-test" in run_program(program, "--help").out

    def test_full_output(self, pristine: Package) -> None:
        program = pristine.folder / "bin/mobilenet-run"
        with open("/dev/full", "w") as full:
            done = subprocess.run([program, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1
        assert "standard output" in done.stderr


class TestRefusesThePackage:
    def test_no_folder_no_manifest(self, pristine: Package, package: Package, tmp_path: Path) -> None:
        program = pristine.folder / "bin/mobilenet-run"
        assert_user_error(run_program(program, tmp_path / "none", "a.png"), "none: there is no such package")
        archive = tmp_path / "package.tar.gz"
        archive.write_bytes(b"x")
        assert_user_error(run_program(program, archive, "a.png"), "not a folder", "tar xzf")
        (package.folder / "manifest.json").unlink()
        assert_user_error(package.run("a.png"), "it has no manifest.json")

    def test_manifest_from_the_future(self, package: Package) -> None:
        (package.folder / "manifest.json").write_text('{"schema_version": 7, "all": "else differs"}')
        assert_user_error(package.run("a.png"), "has schema 7")

    @pytest.mark.parametrize("keep", [0, 1, 100, 500])
    def test_cut_manifest(self, package: Package, keep: int) -> None:
        text = (package.folder / "manifest.json").read_text()
        (package.folder / "manifest.json").write_text(text[:keep])
        assert_user_error(package.run("a.png"), "manifest.json: is not JSON")

    def test_nested_manifest(self, package: Package) -> None:
        (package.folder / "manifest.json").write_text("[" * 1_000_000)
        assert_user_error(package.run("a.png"), "levels deep")

    def test_other_architecture(self, package: Package) -> None:
        manifest = package.manifest
        manifest["target"]["arch"] = "aarch64"
        package.write_manifest(manifest)
        assert_user_error(package.run("a.png"), "is for aarch64, this mobilenet-run is for x86_64")
        script = package.folder / "run.sh"
        script.write_text(script.read_text().replace("built_for=x86_64", "built_for=aarch64"))
        run = run_program(script, "a.png")
        assert (run.code, run.out) == (2, "")
        assert run.error == "run.sh: this package is for aarch64, this machine is x86_64\n"

    def test_missing_cpu_feature(self, package: Package) -> None:
        flags = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags"))
        lacking = [name for name in ("amx_int8", "avx512_fp16", "avx_vnni") if name not in flags.split()]
        if not lacking:
            pytest.skip("this CPU has every feature that the test knows")
        manifest = package.manifest
        manifest["target"]["cpu_features"] += lacking
        package.write_manifest(manifest)
        # Damaged too: it must not even have been read.
        (package.folder / "module.so").write_bytes(b"\x0f\x0b")
        assert_user_error(package.run("--self-test"), f"this CPU lacks {', '.join(lacking)}")

    def test_older_cpu(self, pristine: Package) -> None:
        """On an emulated CPU without AVX the program itself runs, and says what it misses; on a Haswell all is well."""
        emulator = shutil.which("qemu-x86_64")
        if emulator is None:
            pytest.skip("qemu-x86_64 is not installed (Debian: apt install qemu-user)")
        program = pristine.folder / "bin/mobilenet-run"
        run = run_program(Path(emulator), "-cpu", "core2duo", program, pristine.folder, "--self-test")
        assert_user_error(run, "this CPU lacks avx2, fma")
        assert run_program(Path(emulator), "-cpu", "Haswell", program, pristine.folder, "--self-test").code == 0

    def test_unknown_cpu_feature(self, package: Package) -> None:
        manifest = package.manifest
        manifest["target"]["cpu_features"] = ["avx9000"]
        package.write_manifest(manifest)
        assert_user_error(package.run("--self-test"), '"avx9000"', "does not know")

    @pytest.mark.parametrize("name", ["module.so", "reference.npz", "lib/libtvm_ffi.so", "run.sh"])
    def test_wrong_sum(self, package: Package, name: str) -> None:
        path = package.folder / name
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.unlink()  # the program may have it mapped: a new file, not a change of the old
        path.write_bytes(content)
        assert_user_error(package.run("--self-test"), name, "checksum")

    def test_missing_file(self, package: Package) -> None:
        (package.folder / "module.so").unlink()
        assert_user_error(package.run("--self-test"), "module.so: is missing")

    def test_missing_library(self, package: Package) -> None:
        (package.folder / "lib/libtvm_ffi.so").unlink()
        run = run_program(package.folder / "run.sh", "--self-test")
        assert run.code == 2
        assert run.error == "run.sh: lib/libtvm_ffi.so is missing from the package: unpack it again\n"

    @pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "lib/../../outside", ""])
    def test_file_that_leaves_the_folder(self, package: Package, name: str) -> None:
        (package.folder.parent / "outside").write_text("x")
        manifest = package.manifest
        manifest["files"] = {name: "0" * 64, **manifest["files"]}
        package.write_manifest(manifest)
        assert_user_error(package.run("--self-test"), "outside the package")

    def test_link_that_leaves_the_folder(self, package: Package) -> None:
        outside = package.folder.parent / "outside.so"
        (package.folder / "module.so").rename(outside)
        (package.folder / "module.so").symlink_to(outside)
        assert_user_error(package.run("--self-test"), "module.so: is a link that leaves the package")

    def test_unlisted_module(self, package: Package) -> None:
        manifest = package.manifest
        del manifest["files"]["module.so"]
        package.write_manifest(manifest)
        assert_user_error(package.run("--self-test"), "does not list module.so")

    def test_module_that_is_no_library(self, package: Package) -> None:
        (package.folder / "module.so").write_bytes(b"no ELF at all")
        package.seal()
        assert_user_error(package.run("--self-test"), "module.so: does not load")

    def test_module_that_is_no_network(self, package: Package) -> None:
        some_library = next(
            line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libm.so" in line
        )
        (package.folder / "module.so").write_bytes(Path(some_library).read_bytes())
        package.seal()
        assert_user_error(package.run("--self-test"), "module.so: does not load")

    @pytest.mark.parametrize("keep", [0, 100, 5000, -1])
    def test_cut_reference(self, package: Package, keep: int) -> None:
        reference = package.folder / "reference.npz"
        reference.write_bytes(reference.read_bytes()[:keep])
        package.seal()
        assert_user_error(package.run("--self-test"), "reference.npz: is cut")

    def test_reference_of_another_network(self, package: Package) -> None:
        path = package.folder / "reference.npz"
        x, y = np.zeros((1, 3, 32, 32), np.float32), np.zeros((1, 9), np.float32)
        for arrays, part in (({"x0": x}, "has no y0"), ({"x0": x, "y0": y}, "y0: is 1x9, the manifest says 1x10")):
            np.savez(path, **arrays)
            package.seal()
            assert_user_error(package.run("--self-test"), part)
        np.savez_compressed(path, x0=x, y0=y)
        package.seal()
        assert_user_error(package.run("--self-test"), "compressed")


class TestRefusesTheInput:
    @pytest.mark.parametrize(
        ("arguments", "part"),
        [
            ([], "no image given"),
            (["a.png", "--fast"], 'unknown option "--fast"'),
            (["a.png", "--threads", "none"], "--threads takes a whole number"),
            (["a.png", "--top", "0"], "--top takes a whole number"),
            (["a.png", "--repeat"], "--repeat takes a number"),
            (["--self-test", "a.png"], "--self-test takes neither"),
        ],
    )
    def test_options(self, pristine: Package, arguments: list[str], part: str) -> None:
        assert_user_error(pristine.run(*arguments), part)

    def test_file_that_is_not_there(self, pristine: Package, tmp_path: Path) -> None:
        assert_user_error(pristine.run(tmp_path / "a.png"), "a.png: there is no such file")
        assert_user_error(pristine.run(tmp_path), "is not a file")
        assert_user_error(pristine.run("two\nlines\x1b.png"), "there is no such file")

    @pytest.mark.parametrize("suffix", ["png", "jpg", "ppm", "npy"])
    def test_cut_image(self, pristine: Package, images: dict[str, Path], tmp_path: Path, suffix: str) -> None:
        whole = images[suffix].read_bytes()
        cut = tmp_path / f"cut.{suffix}"
        for keep in (0, 1, 8, 20, len(whole) // 2, len(whole) - 1):
            if suffix == "png" and keep == len(whole) - 1:
                continue  # only the last byte of a checksum
            cut.write_bytes(whole[:keep])
            assert_user_error(pristine.run(cut), f"cut.{suffix}: ")

    def test_cut_jpeg_with_a_thumbnail(self, pristine: Package, tmp_path: Path) -> None:
        """The thumbnail in an EXIF block ends with the same marker as the picture."""
        import io

        small = io.BytesIO()
        picture(20).save(small, "JPEG")
        path = tmp_path / "cut.jpg"
        picture(64).save(path, exif=b"Exif\0\0" + small.getvalue())
        assert pristine.run(path).code == 0
        path.write_bytes(path.read_bytes()[:-200])
        assert_user_error(pristine.run(path), "cut.jpg: does not decode")

    def test_no_image(self, pristine: Package, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        path.write_text("not a picture")
        assert_user_error(pristine.run(path), "a.png: does not decode")

    def test_one_bad_image_stops_all(self, pristine: Package, images: dict[str, Path], tmp_path: Path) -> None:
        assert_user_error(pristine.run(images["png"], tmp_path / "none.png"), "none.png")

    def test_image_too_narrow(self, pristine: Package, tmp_path: Path) -> None:
        path = tmp_path / "thread.png"
        Image.new("RGB", (5000, 1)).save(path)
        assert_user_error(pristine.run(path), "5000x1 is too narrow")

    def test_image_that_claims_to_be_huge(self, pristine: Package, tmp_path: Path) -> None:
        path = tmp_path / "bomb.ppm"
        path.write_bytes(b"P6 100000 100000 255\n")
        assert_user_error(pristine.run(path), "100000x100000 pixels")

    @pytest.mark.parametrize(
        ("array", "part"),
        [
            (np.zeros((1, 3, 32, 31), np.float32), "is 1x3x32x31, the network takes 1x3x32x32"),
            (np.zeros((3, 32, 32), np.float32), "is 3x32x32"),
            (np.zeros((1, 3, 32, 32), np.float64), "holds float64, the network takes float32"),
            (np.zeros((1, 3, 32, 32), np.uint8), "holds uint8"),
            (np.asfortranarray(np.zeros((1, 3, 32, 32), np.float32)), "Fortran order"),
        ],
    )
    def test_wrong_array(self, pristine: Package, tmp_path: Path, array: NDArray[Any], part: str) -> None:
        np.save(tmp_path / "x.npy", array)
        assert_user_error(pristine.run(tmp_path / "x.npy"), "x.npy: ", part)

    def test_picture_for_a_network_without_preprocessing(self, package: Package, images: dict[str, Path]) -> None:
        package.write_manifest({**package.manifest, "preprocessing": None})
        assert_user_error(package.run(images["png"]), ".npz with x: float32 1x3x32x32")
        assert package.run(images["npy"]).code == 0


def test_run_sh_from_another_folder(package: Package, images: dict[str, Path], tmp_path: Path) -> None:
    moved = tmp_path / "a folder with spaces"
    package.folder.rename(moved)
    done = subprocess.run(
        [moved / "run.sh", images["png"], "--json"], cwd="/", capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["model"] == "tiny"


def test_nothing_is_written(package: Package, images: dict[str, Path]) -> None:
    def state() -> list[tuple[str, int, int]]:
        return sorted((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in package.folder.rglob("*"))

    before = state()
    assert package.run(images["png"]).code == 0
    assert package.run("--self-test").code == 0
    assert state() == before
