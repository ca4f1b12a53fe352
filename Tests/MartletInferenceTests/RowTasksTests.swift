import Testing

@testable import MartletInference

@Suite struct RowTasksTests {
    @Test func everyRowIsInOneTask() {
        for images in 0...3 {
            for height in 0...9 {
                for workers in 1...5 {
                    let tasks = RowTasks(images: images, height: height, workers: workers)
                    var rows: [[Int]] = []
                    for task in 0..<tasks.count {
                        let (image, part) = tasks.place(of: task)
                        rows += part.map { [image, $0] }
                    }
                    #expect(rows == (0..<images).flatMap { image in (0..<height).map { [image, $0] } })
                    if workers == 1 { #expect(tasks.count <= images) }
                }
            }
        }
    }
}
