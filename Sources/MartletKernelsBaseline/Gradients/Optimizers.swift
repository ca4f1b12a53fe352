// Steps of optimisers, element by element.

/// A step of gradient descent with Nesterov's momentum: v = momentum v + g + decay w, w -= rate (g + decay w + momentum v).
///
/// - Parameters:
///   - values: What is learned.
///   - gradients: Of the loss by them.
///   - velocities: As many numbers, zero at the beginning.
public func momentumStep(
    _ values: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, velocities: UnsafeMutablePointer<Float>,
    count: Int, rate: Float, momentum: Float, decay: Float
) {
    for i in 0..<count {
        let gradient = gradients[i] + decay * values[i]
        let velocity = momentum * velocities[i] + gradient
        velocities[i] = velocity
        values[i] -= rate * (gradient + momentum * velocity)
    }
}

/// A step of Adam (Kingma and Ba, 2015) with decay apart from the gradient (Loshchilov and Hutter, 2019).
///
/// - Parameters:
///   - values: What is learned.
///   - gradients: Of the loss by them.
///   - means: Running means of the gradients, zero at the beginning.
///   - squares: Running means of their squares, zero at the beginning.
///   - rate: The learning rate over the first mean's correction.
///   - correction: What the mean squares are divided by: one less the second factor to the power of the steps.
///   - decay: The learning rate times the weight decay.
public func adamStep(
    _ values: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, means: UnsafeMutablePointer<Float>,
    squares: UnsafeMutablePointer<Float>, count: Int, rate: Float, correction: Float, first: Float, second: Float,
    epsilon: Float, decay: Float
) {
    for i in 0..<count {
        let gradient = gradients[i]
        let mean = first * means[i] + (1 - first) * gradient
        let square = second * squares[i] + (1 - second) * gradient * gradient
        means[i] = mean
        squares[i] = square
        values[i] -= rate * mean / ((square / correction).squareRoot() + epsilon) + decay * values[i]
    }
}
