/* Tells the static model's plugin when to count: an emulated Python calls these around one inference. */
void static_model_begin(void) { __asm__ volatile("hint #126" ::: "memory"); }
void static_model_end(void) { __asm__ volatile("hint #127" ::: "memory"); }
