// Ends with 0 on a processor with AVX, and by a signal on others.
int main() { asm volatile("vxorps %%ymm0, %%ymm0, %%ymm0" : : : "xmm0"); }
