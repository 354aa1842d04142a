"""An ONNX file -> Relax -> schedules -> ``module.so``; tuning. Imports TVM inside its modules, never torch."""
