// The program. Turns what the libraries throw into one line on stderr and an exit code.
#include "app/command.h"

extern "C" int sc_main(int, char*[]) { return 0; }  // SystemC refers to it; its kernel is driven by the simulator

int main(int argc, char* argv[]) { return accsim::app::run_program(argc, argv); }
