// A kernel that no CUDA compiler takes: scripts/check_cuda.sh must see it.
__global__ void broken(float* x) { x[threadIdx.x] = of_nowhere(x); }
