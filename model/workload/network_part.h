// A part of a network as a network of its own: some of its operators, the tensors that they read from outside as its
// inputs, what is needed outside as its outputs. Reads the network file's layers, so that the part is read like any
// other file. Leaves out: nothing of the operators; the batch of the whole is part of the shapes.
#pragma once
#include <vector>

#include "model/workload/network.h"

namespace accsim::model {

// `network`: after fuse_activations, made of `file` (accsim-net/1). `ops`: of it, that move data; aliases (Reshape, …)
// between them come along. The operators of the part have the same names and fused activations. InternalError where
// network and file do not go together.
Json network_part(const Network& network, const Json& file, const std::vector<OpId>& ops, const std::string& name);

}  // namespace accsim::model
