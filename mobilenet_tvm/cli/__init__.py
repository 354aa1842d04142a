"""The command line: one file per verb, thin over the functions of ``mobilenet_tvm.verbs``."""
