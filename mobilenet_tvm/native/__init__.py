"""How C++ gets onto this disk: the runner, TVM's runtime for a device, stb_image.h."""
