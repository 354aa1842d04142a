"""The npm package that carries the weights, and what of it is wanted."""

from __future__ import annotations

NAME = "@vladmandic/face-api"
VERSION = "1.7.15"
LICENCE = "MIT, Copyright (c) Vladimir Mandic"
WEIGHTS = "ssd_mobilenetv1_model.bin"
MANIFEST = "ssd_mobilenetv1_model-weights_manifest.json"
SHA256 = {
    WEIGHTS: "2835640602d53718aa6ae9a42896327eaa21beefed056c218d32ca7d79e1e2f8",
    MANIFEST: "888f744dffbc84f5f060d1f8427d9742341943a2dfaaf9205d10029b7e7a2955",
}
FETCH = "python -m frontend.faces FOLDER, then --weights FOLDER"
