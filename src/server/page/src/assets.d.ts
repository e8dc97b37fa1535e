// Files that are no modules: the build takes them along.
declare module '*.css'
declare module '*.svg' {
  const path: string
  export default path
}
