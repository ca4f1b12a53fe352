// The sources of this folder are built once for each instruction set, as those of `Blocked` are and under the same rules.
//
// They compute on images of bytes: `[blocks][rows][columns][16]`, sixteen channels to a pixel of a block whatever the
// instruction set, so that a layout does not depend on it. A byte b stands for `scale (b - zero point)`.

import CMartletIntrinsics

/// As many 32-bit integers as a register holds.
typealias Integers = martlet_integers
/// As many floats as a register holds.
typealias Reals = martlet_reals

/// Channels that lie side by side at a pixel.
var bytesOfPixel: Int { @_transparent get { 16 } }
