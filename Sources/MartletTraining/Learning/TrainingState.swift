import Foundation
import MartletSafetensorsFormat
import MartletTensors

/// How far a training is, as a checkpoint holds it.
struct TrainingState: Codable {
    /// The learning rate that is being tried.
    var rate = 0
    /// Passes finished with it.
    var epoch = 0
    /// Steps of this pass.
    var step = 0
    /// Sums over the steps of this pass.
    var loss = 0.0
    var correct = 0
    var epochs: [TrainingEpoch] = []
    /// How good the network was in the beginning.
    var before: TrainingScore?
    /// The best learning rate so far, and how good it was.
    var best: Best?

    struct Best: Codable {
        var rate: Int
        var score: TrainingScore
    }
}

/// The numbers of a checkpoint.
struct TrainingNumbers {
    var values: Tensor
    var states: Tensor
    var remembered: Tensor
    var bestValues: Tensor?
    var bestStates: Tensor?
}

/// Reads and writes checkpoints: safetensors files with the parameters, what the optimiser remembers, the best so far, and
/// as text where the training was.
enum TrainingCheckpoint {
    private static let format = "training checkpoint 1"

    /// Writes a checkpoint, whole or not at all.
    /// - Parameter purpose: What is trained on what; a run for something else must not go on.
    static func write(_ state: TrainingState, _ numbers: TrainingNumbers, purpose: String, to path: String) throws {
        var tensors = ["values": numbers.values, "states": numbers.states, "remembered": numbers.remembered]
        tensors["best_values"] = numbers.bestValues
        tensors["best_states"] = numbers.bestStates
        let layout = tensors.sorted { $0.key < $1.key }.map { ($0.key, $0.value.elementType, $0.value.shape) }
        let metadata = [
            "martlet.format": format, "martlet.purpose": purpose,
            "martlet.state": String(decoding: try JSONEncoder().encode(state), as: UTF8.self),
        ]
        try SafetensorsWriter.write(layout, metadata: metadata, to: path) { name in
            guard let tensor = tensors[name] else { throw SafetensorsError.missing(file: path, tensor: name) }
            return tensor
        }
    }

    /// Reads a checkpoint.
    /// - Parameters:
    ///   - parameters: The number of floats of all parameters.
    ///   - states: The number of floats of all running statistics.
    /// - Throws: ``TrainingError/otherCheckpoint(path:)`` if it is of another training.
    static func read(
        path: String, purpose: String, parameters: Int, states: Int
    ) throws -> (state: TrainingState, numbers: TrainingNumbers) {
        let reader = try SafetensorsReader(path: path)
        guard reader.metadata["martlet.format"] == format, reader.metadata["martlet.purpose"] == purpose,
            let text = reader.metadata["martlet.state"],
            let state = try? JSONDecoder().decode(TrainingState.self, from: Data(text.utf8)), state.rate >= 0,
            state.epoch >= 0, state.step >= 0
        else { throw TrainingError.otherCheckpoint(path: path) }
        func tensor(_ name: String, _ count: Int) throws -> Tensor {
            let tensor = try reader.tensor(name)
            guard tensor.elementType == .float32, tensor.shape.extents == [count] else {
                throw TrainingError.otherCheckpoint(path: path)
            }
            return tensor
        }
        var numbers = TrainingNumbers(
            values: try tensor("values", parameters), states: try tensor("states", states),
            remembered: try tensor("remembered", 2 * parameters))
        if state.best != nil {
            numbers.bestValues = try tensor("best_values", parameters)
            numbers.bestStates = try tensor("best_states", states)
        }
        return (state, numbers)
    }
}
