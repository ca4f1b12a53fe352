/// Channels of a block: as many floats as a register of this instruction set holds.
public func vectorLanes() -> Int { Vector.scalarCount }
