// 128-bit intermediate results of 64-bit products (clock ratios, shares).
#pragma once
namespace accsim::model {
__extension__ using Wide = __int128;
}
